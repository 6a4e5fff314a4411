import { setTimeout as pause } from 'node:timers/promises';
import { newUuid } from '../../src/core/id.ts';
import { Broken, type Caller, type Reply } from './caller.ts';
import type { Company } from './company.ts';
import type { Random } from './random.ts';

/** What an answer says of its write. A 503 that leaves it open must not be read as a denial. */
export type Told = 'stored' | 'denied' | 'unknown';

/** What a caller was told of one write, or of one import, which its number of rows makes recognisable. */
export type Testimony = { mark: string; company: Company; keyed: boolean; answers: { told: Told; text: string }[] };

/** Commits of rows whose notes start so wait before they are durable (see outcomes.ts). */
export const SLOW = 'w:slow:';

function toldBy(reply: Reply): Told {
  if (reply.status < 300) return 'stored';
  const { outcome, detail } = JSON.parse(reply.text) as { outcome?: string; detail?: string };
  return outcome === 'unknown' || /not known/.test(String(detail)) ? 'unknown' : 'denied';
}

/** Sends a write until its outcome is told; without a key once. What denies a repetition says nothing of the first. */
async function testify(
  company: Company,
  mark: string,
  keyed: boolean,
  send: (headers: Record<string, string>) => Promise<Reply>,
): Promise<Testimony> {
  const testimony: Testimony = { mark, company, keyed, answers: [] };
  const headers: Record<string, string> = keyed ? { 'Idempotency-Key': newUuid() } : {};
  for (;;) {
    try {
      const reply = await send(headers);
      testimony.answers.push({ told: toldBy(reply), text: reply.text });
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      testimony.answers.push({ told: 'unknown', text: error.message });
    }
    const open = testimony.answers[0]?.told === 'unknown';
    if (!keyed || !open || testimony.answers.at(-1)?.told === 'stored') return testimony;
    await pause(100);
  }
}

export function writeClient(caller: Caller, company: Company, random: Random): Promise<Testimony> {
  const mark = `${random.next() < 0.5 ? SLOW : 'w:quick:'}${newUuid()}`;
  const body = { lastName: 'Witness', notes: mark };
  const { token } = company;
  return testify(company, mark, random.next() < 0.5, (headers) =>
    caller.ask({ method: 'POST', path: '/clients', token, body, headers }),
  );
}

/** A file of so many rows; no other of the company has as many. */
export function sendFile(caller: Caller, company: Company, rows: number, random: Random): Promise<Testimony> {
  const lines = Array.from({ length: rows }, (_, i) => `f${rows}-${i},Row`);
  const text = `externalId,lastName\n${lines.join('\n')}`;
  const { token } = company;
  return testify(company, String(rows), random.next() < 0.5, (headers) =>
    caller.ask({
      method: 'POST',
      path: '/imports?resource=clients',
      token,
      text,
      headers: { ...headers, 'Content-Type': 'text/csv' },
    }),
  );
}
