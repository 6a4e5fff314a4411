import { newUuid } from '../../core/id.ts';
import { signedHeaders } from '../../core/standard-webhook.ts';
import type { Ctx } from '../../data/ctx.ts';
import type { Settings } from '../../settings.ts';

/** Longest wait for the mailer, ms. */
const DEADLINE = 10_000;

/** What the mailer is asked to send: to whom, and the token its link carries. */
export type Mail = { email: string; name: string; token: string; expiresAt: string };

/**
 * Hands a recovery token to whatever sends mail: one POST to MAILER_URL, signed as Standard Webhooks are (`webhook-id`,
 * `webhook-timestamp`, `webhook-signature: v1,…`). Never throws: the answer that caused it has long been given.
 * The token appears nowhere else, but for a database on this very machine: then it is printed, as there is nobody to mail it.
 */
export async function sendRecovery(ctx: Ctx, settings: Settings, mail: Mail): Promise<void> {
  const { mailer } = settings;
  if (mailer === null) {
    if (new URL(settings.databaseUrl).hostname !== '127.0.0.1') return reportUnsent(ctx, 'MAILER_URL is not set');
    // A warning, which `npm run dev -- --quiet` shows too.
    console.warn(`Password recovery for ${mail.email}, valid until ${mail.expiresAt}: ${mail.token}`);
    return;
  }
  const id = `msg_${newUuid()}`;
  const timestamp = Math.floor(ctx.now() / 1000);
  const body = JSON.stringify({ type: 'password.recovery', timestamp: new Date(ctx.now()).toISOString(), data: mail });
  try {
    const answer = await fetch(mailer.url, {
      method: 'POST',
      headers: signedHeaders({ id, timestamp, body }, [mailer.secret]),
      body,
      // The token goes where the operator said and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE),
    });
    await answer.body?.cancel();
    if (!answer.ok) reportUnsent(ctx, `the mailer answered ${answer.status}`);
  } catch (error) {
    reportUnsent(ctx, `the mailer was not reached: ${error instanceof Error ? error.name : 'unknown'}`);
  }
}

/** Why nobody got a mail, for the operator; never to whom or with what. */
export function reportUnsent(ctx: Ctx, reason: string): void {
  console.error(JSON.stringify({ level: 'error', requestId: ctx.requestId, code: 'mail_not_sent', reason }));
}
