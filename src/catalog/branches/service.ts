import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { assignments, expectVersion, insertRow, patchRow } from '../../resources/row-sql.ts';
import { change } from '../../resources/write.ts';
import { branchResource as resource } from './resource.ts';
import { BranchCreate, BranchPatch } from './schema.ts';

type Create = z.output<typeof BranchCreate>;

/** An absent second line is absent, not null: the address is shown as it is stored. */
function addressOf({ address }: Create): Record<string, unknown> | null {
  if (address === null || address === undefined) return null;
  const { line2, ...rest } = address;
  return line2 === null || line2 === undefined ? rest : { ...rest, line2 };
}

/** A new branch as its row. */
export const branchRow = (id: string, body: Create): Record<string, unknown> => ({
  id,
  name: body.name,
  time_zone: body.timeZone,
  address: addressOf(body),
  phone: body.phone ?? null,
  is_active: body.isActive ?? true,
  opening_hours: body.openingHours ?? [],
  holidays: body.holidays ?? [],
  external_id: body.externalId ?? null,
});

export const createBranch = change({
  resource,
  name: 'branches.create',
  body: BranchCreate,
  target: 'new',
  status: 201,
  statements: ({ id, body }) => [insertRow('branches', branchRow(id, body))],
});

const COLUMNS = {
  name: 'name',
  timeZone: 'time_zone',
  phone: 'phone',
  isActive: 'is_active',
  externalId: 'external_id',
} as const;

export const updateBranch = change({
  resource,
  name: 'branches.update',
  body: BranchPatch,
  target: 'path',
  status: 200,
  statements(input) {
    const { address, openingHours, holidays } = input.body;
    const sets = assignments(COLUMNS, input.body);
    if (address === null) sets.push(sql`address = null`);
    // RFC 7396 part by part; the table refuses an address that lacks one.
    else if (address !== undefined)
      sets.push(sql`address = jsonb_strip_nulls(coalesce(address, '{}') || ${JSON.stringify(address)}::jsonb)`);
    if (openingHours !== undefined) sets.push(sql`opening_hours = ${JSON.stringify(openingHours ?? [])}::jsonb`);
    if (holidays !== undefined) sets.push(sql`holidays = ${JSON.stringify(holidays ?? [])}::jsonb`);
    return patchRow(resource, input, expectVersion(resource, input), sets);
  },
});

export const archiveBranch = setActive('branches.archive', sql`false`);
export const restoreBranch = setActive('branches.restore', sql`true`);

function setActive(name: string, active: SQL) {
  return change({
    resource,
    name,
    target: 'path',
    status: 200,
    statements: (input) => patchRow(resource, input, expectVersion(resource, input), [sql`is_active = ${active}`]),
  });
}
