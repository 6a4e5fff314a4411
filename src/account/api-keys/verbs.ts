import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { parseId } from '../../core/id.ts';
import { bytea } from '../../data/query.ts';
import type { AppContext } from '../../http/context.ts';
import { insertRow, newRow } from '../../resources/row-sql.ts';
import { archiveOf, createOf } from '../../resources/verbs.ts';
import { forgetKey } from './principal.ts';
import { apiKey } from './resource.ts';
import { mintKey } from './secret.ts';

/** Makes a key; its secret is in this one answer and nowhere else. A key holds at most its creator's scopes. */
export function createApiKey(c: AppContext): Promise<Response> {
  let secret = '';
  return createOf(apiKey, {
    secret: true,
    prepare({ principal, body }) {
      // A scope is also the permission of that name. All who may make keys hold the same ones, whatever became of
      // the token's role meanwhile; that they still may is asked inside the write.
      const beyond = body.scopes.filter((scope) => !principal.may(scope));
      if (beyond.length > 0) throw new AppError('forbidden', `You do not hold ${beyond.join(', ')} yourself.`);
    },
    statements({ companyId, principal, id, body }) {
      const minted = mintKey(companyId, id);
      secret = minted.secret;
      return [
        insertRow(apiKey, { ...newRow(apiKey, id, body), created_by: principal.actor }),
        sql`select app.keep_key_hash(${id}::uuid, ${bytea(minted.hash)})`,
      ];
    },
    extra: () => sql`'{}'::jsonb`,
    present: () => ({ secret }),
  })(c);
}

const revoke = archiveOf(apiKey, { name: 'api-keys.revoke' });

/** Revokes a key for good. Its writes end with the commit, its reads as soon as what was remembered of it is forgotten. */
export async function revokeApiKey(c: AppContext): Promise<Response> {
  const response = await revoke(c);
  const keyId = parseId('key', c.req.param('id') ?? '');
  if (keyId !== null) await forgetKey(c.env.ctx, c.env.deps, keyId);
  return response;
}
