import { type SQL, sql } from 'drizzle-orm';
import { formatId, uuidOf } from '../../core/id.ts';
import { change } from '../../resources/change.ts';
import { expectRow, expectVersion, rowOf, sameVersion, type WriteInput } from '../../resources/row-sql.ts';
import { createOf, restoreOf, updateOf } from '../../resources/verbs.ts';
import { client as resource } from './resource.ts';
import { ClientMerge } from './schema.ts';

/** The row must exist, have the version the caller expects, and be neither erased nor merged into another, which is named. */
const expectClient = (input: WriteInput<unknown>): SQL =>
  sql`select ${expectRow}, ${sameVersion(input.expected)}, app.refuse(any_value(erased_at is not null), 'erased'),
    case when any_value(merged_into is not null) then app.refuse(true, 'conflict', jsonb_build_object('detail',
      'This client was merged into another one.', 'mergedInto', app.living_client(${input.id}::uuid))) end
    from clients where ${rowOf(resource, input)}`;

export const createClient = createOf(resource, {
  // Reported, never forbidden.
  extra: ({ id, body }) =>
    sql`select jsonb_build_object('duplicates', app.client_duplicates(${id}::uuid, ${body.email ?? null}, ${body.phone ?? null}))`,
  present: ({ duplicates }: { duplicates: string[] }) => ({ duplicates: duplicates.map((id) => formatId('clnt', id)) }),
});

/** What was merged away is history: a change of it would be lost to who it became, and bringing it back make two of one person. */
export const updateClient = updateOf(resource, { expect: expectClient });
export const restoreClient = restoreOf(resource, { expect: expectClient });

/** Anonymises for good, in the table and in the log; the books keep the row. Repeating it changes nothing. */
export const eraseClient = change({
  resource,
  name: 'clients.erase',
  permission: 'erase',
  target: 'path',
  status: 200,
  purges: true,
  statements: (input) => [expectVersion(resource, input), sql`select app.erase_client(${input.id}::uuid)`],
});

/** Makes one client of two: the one in the path stays. */
export const mergeClient = change({
  resource,
  name: 'clients.merge',
  permission: 'merge',
  body: ClientMerge,
  target: 'path',
  status: 200,
  statements({ principal, id, body, expected }) {
    const source = uuidOf('clnt', body.sourceId);
    // In the contract's order: 404, 422, 412; the merge itself refuses with 409.
    const expect = sql`select ${expectRow},
      app.refuse(${source === id}::boolean, 'invalid_body', '{"pointer": "/sourceId", "detail": "Must be another client."}'),
      app.refuse(not exists (select from clients where ${rowOf(resource, { principal, id: source })}), 'unknown_reference', '{"pointer": "/sourceId", "detail": "There is no such client."}'),
      ${sameVersion(expected)} from clients where ${rowOf(resource, { principal, id })}`;
    return [expect, sql`select app.merge_clients(${id}::uuid, ${source}::uuid, null)`];
  },
});
