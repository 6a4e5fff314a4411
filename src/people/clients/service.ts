import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { formatId, parseId } from '../../core/id.ts';
import { NOBODY } from '../../resources/list.ts';
import { assignments, expectVersion, insertRow, patchRow, rowOf, sameVersion } from '../../resources/row-sql.ts';
import { change, type WriteInput } from '../../resources/write.ts';
import { clientResource as resource } from './resource.ts';
import { ClientCreate, ClientMerge, ClientPatch } from './schema.ts';

/** The row must exist, have the version the caller expects, and not be erased; `unmerged`: nor merged into another. */
const expectClient = (input: WriteInput<unknown>, unmerged = false): SQL =>
  sql`select app.expect_version(max(version), null), ${sameVersion(sql`max(version)`, input.expected)}, app.refuse(bool_or(erased_at is not null), 'erased'),
    app.refuse(${unmerged}::boolean and bool_or(merged_into is not null), 'conflict', '{"detail": "This client was merged into another one."}')
    from clients where ${rowOf(resource, input)}`;

/** A new client as its row. */
export const clientRow = (id: string, body: z.output<typeof ClientCreate>): Record<string, unknown> => ({
  id,
  first_name: body.firstName ?? null,
  last_name: body.lastName ?? null,
  email: body.email ?? null,
  phone: body.phone ?? null,
  status: body.status ?? 'ACTIVE',
  tags: body.tags ?? [],
  notes: body.notes ?? null,
  custom_fields: body.customFields ?? {},
  external_id: body.externalId ?? null,
});

export const createClient = change({
  resource,
  name: 'clients.create',
  body: ClientCreate,
  target: 'new',
  status: 201,
  statements: ({ id, body }) => [insertRow('clients', clientRow(id, body))],
  // Reported, never forbidden.
  extra: ({ id, body }) =>
    sql`select jsonb_build_object('duplicates', app.client_duplicates(${id}::uuid, ${body.email ?? null}, ${body.phone ?? null}))`,
  present: (extra) => ({ duplicates: (extra.duplicates as string[]).map((id) => formatId('clnt', id)) }),
});

const COLUMNS = {
  firstName: 'first_name',
  lastName: 'last_name',
  email: 'email',
  phone: 'phone',
  status: 'status',
  notes: 'notes',
  externalId: 'external_id',
} as const;

export const updateClient = change({
  resource,
  name: 'clients.update',
  body: ClientPatch,
  target: 'path',
  status: 200,
  statements(input) {
    const { tags, customFields } = input.body;
    const sets = assignments(COLUMNS, input.body);
    if (tags !== undefined) sets.push(sql`tags = ${textArray(tags ?? [])}`);
    if (customFields === null) sets.push(sql`custom_fields = '{}'`);
    // RFC 7396 over scalars: null removes a key.
    else if (customFields !== undefined)
      sets.push(sql`custom_fields = jsonb_strip_nulls(custom_fields || ${JSON.stringify(customFields)}::jsonb)`);
    const { status = 'ARCHIVED' } = input.body;
    return patchRow(resource, input, expectClient(input, status !== 'ARCHIVED'), sets);
  },
});

/** An erased client is archived already, so archiving it again is the no-op it always is. */
export const archiveClient = setStatus('clients.archive', (input) => expectVersion(resource, input), sql`'ARCHIVED'`);
/** Bringing back what was merged away would make two of one person again. */
export const restoreClient = setStatus(
  'clients.restore',
  (input) => expectClient(input, true),
  sql`case when status = 'ARCHIVED' then 'ACTIVE' else status end`,
);

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
  statements({ companyId, id, body, expected }) {
    const source = parseId('clnt', body.sourceId) ?? NOBODY;
    // In the contract's order: 404, 422, 412; the merge itself refuses with 409.
    const expect = sql`select app.expect_version(max(version), null),
      app.refuse(${source === id}::boolean, 'invalid_body', '{"pointer": "/sourceId", "detail": "Must be another client."}'),
      app.refuse(not exists (select from clients where ${rowOf(resource, { companyId, id: source })}), 'unknown_reference', '{"pointer": "/sourceId", "detail": "There is no such client."}'),
      ${sameVersion(sql`max(version)`, expected)} from clients where ${rowOf(resource, { companyId, id })}`;
    return [expect, sql`select app.merge_clients(${id}::uuid, ${source}::uuid, null)`];
  },
});

function setStatus(name: string, expect: (input: WriteInput<unknown>) => SQL, status: SQL) {
  return change({
    resource,
    name,
    target: 'path',
    status: 200,
    statements: (input) => patchRow(resource, input, expect(input), [sql`status = ${status}`]),
  });
}

/** Arrays travel as one jsonb parameter: the driver's own array form cannot be told from text. */
function textArray(values: readonly string[]): SQL {
  return sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::jsonb))`;
}
