import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { parseId } from '../../core/id.ts';
import type { AppContext } from '../../http/context.ts';
import { expectVersion } from '../../resources/row-sql.ts';
import { change, type WriteInput } from '../../resources/write.ts';
import { forgetKey } from './principal.ts';
import { apiKeyResource } from './resource.ts';
import { ApiKeyCreate, ApiKeyPatch } from './schema.ts';
import { mintKey } from './secret.ts';

const at = (companyId: string, id: string): SQL =>
  sql`api_keys.company_id = ${companyId}::uuid and api_keys.id = ${id}::uuid`;

const expectKey = (input: WriteInput<unknown>): SQL => expectVersion(apiKeyResource, input);

/** Makes a key; its secret is in this one answer and nowhere else. A key holds at most its creator's scopes. */
export function createApiKey(c: AppContext): Promise<Response> {
  let secret = '';
  return change({
    resource: apiKeyResource,
    name: 'api-keys.create',
    body: ApiKeyCreate,
    target: 'new',
    status: 201,
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
        sql`insert into api_keys (company_id, id, name, scopes, created_by, expires_at, external_id)
          values (${companyId}::uuid, ${id}::uuid, ${body.name}, array(select jsonb_array_elements_text(${JSON.stringify(body.scopes)}::jsonb)),
            ${principal.actor}, ${body.expiresAt ?? null}::timestamptz, ${body.externalId ?? null})`,
        sql`select app.keep_key_hash(${id}::uuid, decode(${minted.hash.toString('hex')}, 'hex'))`,
      ];
    },
    extra: () => sql`'{}'::jsonb`,
    present: () => ({ secret }),
  })(c);
}

export const updateApiKey = change({
  resource: apiKeyResource,
  name: 'api-keys.update',
  body: ApiKeyPatch,
  target: 'path',
  status: 200,
  statements(input) {
    const { companyId, id, body } = input;
    const sets: SQL[] = [];
    if (body.name !== undefined) sets.push(sql`name = ${body.name}`);
    if (body.externalId !== undefined) sets.push(sql`external_id = ${body.externalId}`);
    if (sets.length === 0) return [expectKey(input)];
    return [expectKey(input), sql`update api_keys set ${sql.join(sets, sql`, `)} where ${at(companyId, id)}`];
  },
});

const revoke = change({
  resource: apiKeyResource,
  name: 'api-keys.revoke',
  target: 'path',
  status: 200,
  statements: (input) => [
    expectKey(input),
    sql`update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp()) where ${at(input.companyId, input.id)}`,
  ],
});

/** Revokes a key for good. Its writes end with the commit, its reads as soon as what was remembered of it is forgotten. */
export async function revokeApiKey(c: AppContext): Promise<Response> {
  const response = await revoke(c);
  const keyId = parseId('key', c.req.param('id') ?? '');
  if (keyId !== null) await forgetKey(c.env.ctx, c.env.deps, keyId);
  return response;
}
