import * as z from 'zod';
import { email, phone } from '../../http/schemas.ts';
import type { ImportParticulars } from '../../resources/import-row.ts';

/** A number as people write it: with spaces and dashes, 00 for the plus, the (0) of calls within the country. */
const writtenPhone = () =>
  z
    .string()
    .transform((text) =>
      text
        .replace('(0)', '')
        .replaceAll(/[\s()./-]/g, '')
        .replace(/^00/, '+'),
    )
    .pipe(phone());

/** What rows of clients are matched by, and what stops one. */
export const clientImport: ImportParticulars = {
  example: { externalId: 'crm-1042', firstName: 'Anna', customFields: { shoe: 38 } },
  matches: {
    // Case aside, as the field has none.
    email: { key: email, found: 'lower(c.email) = lower(r.key)' },
    phone: { key: writtenPhone, found: 'c.phone = r.key' },
  },
  reads: () => z.object({ phone: writtenPhone().nullable().optional() }),
  sql: {
    // By address or number those who are erased or merged away are nobody.
    findable: 'c.erased_at is null and c.merged_into is null',
    checks: [`app.refuse(h.erased_at is not null, 'erased')`],
    values: {
      // Bringing back what was merged away would make two of one person again.
      status: `case when h.merged_into is null and g.given ? 'status' then p.status else coalesce(h.status, d.status) end`,
    },
  },
};
