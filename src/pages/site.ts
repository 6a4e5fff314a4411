import { createHash } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import type { Assets } from '../env.ts';

/** A file, and what names its content. Without a body for whoever holds that content. */
type SiteFile = { version: string; body: ArrayBuffer | ReadableStream | null };

/** Why a file cannot be had: `state` of the log's line. */
class SiteFault extends Error {
  override readonly name = 'SiteFault';
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** How long a file may take that is read whole, and one that is passed through at its reader's pace, ms. */
const [WHOLE, PASSED] = [5000, 120_000];

/** The files that were made beside this Worker (`local/site.ts`), as its binding hands them out. */
export class Site {
  /** By name. What an isolate was deployed with does not change under it, so each is read whole only once. */
  readonly #versions = new Map<string, string>();

  /** @param held whatever the caller says to hold: versions in quotes */
  async file(assets: Assets | undefined, name: string, held: string): Promise<SiteFile> {
    const known = this.#versions.get(name);
    if (known !== undefined && holds(held, known)) return { version: known, body: null };
    const { body } = await fetched(assets, name, known === undefined ? WHOLE : PASSED);
    if (known !== undefined) return { version: known, body };
    const bytes = await new Response(body).arrayBuffer().catch(away);
    const version = createHash('sha256').update(new Uint8Array(bytes)).digest('hex').slice(0, 16);
    this.#versions.set(name, version);
    return { version, body: holds(held, version) ? null : bytes };
  }
}

const holds = (held: string, version: string): boolean => held.includes(`"${version}"`);

/** @throws AppError internal_error where the deployment lacks the file, busy while it cannot be reached */
async function fetched(assets: Assets | undefined, name: string, deadline: number): Promise<Response> {
  if (assets === undefined) throw lacking('ASSETS is not bound');
  const answer = await assets.fetch(`https://site/${name}`, { signal: AbortSignal.timeout(deadline) }).catch(away);
  if (answer.status === 200) return answer;
  await answer.body?.cancel();
  if (answer.status === 404) throw lacking(`ASSETS has no ${name}`);
  return away(new SiteFault(`ASSETS answered ${answer.status}`));
}

const lacking = (what: string): AppError => new AppError('internal_error', undefined, { cause: new SiteFault(what) });

function away(cause: unknown): never {
  throw new AppError('busy', 'This page cannot be read just now.', { cause, extra: { retryAfter: 1 } });
}
