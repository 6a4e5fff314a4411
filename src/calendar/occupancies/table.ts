import { type SQL, sql } from 'drizzle-orm';
import { boolean, customType, index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { resources } from '../../catalog/resources/table.ts';
import { staff } from '../../catalog/staff/table.ts';
import { instant, tenantReference } from '../../data/columns.ts';
import { appointments } from '../appointments/table.ts';
import { holds } from '../holds/table.ts';

const multirange = customType<{ data: string }>({ dataType: () => 'tstzmultirange' });

/**
 * What appointments and holds keep busy: one row per owner and subject, kept by triggers from the documents alone. An
 * exclusion constraint (`occupancies_once`, migrations/*_calendar.sql) makes overlapping rows of a subject impossible.
 * `busy` of staff has their buffers and lacks processing; that of a resource is the whole span, buffers included. The same
 * in minutes, generated and indexed for `app.busy`, stands beside it (migrations/*_busy_pieces.sql).
 */
export const occupancies = pgTable(
  'occupancies',
  () => ({
    companyId: uuid('company_id').notNull(),
    appointmentId: uuid('appointment_id'),
    holdId: uuid('hold_id'),
    staffId: uuid('staff_id'),
    resourceId: uuid('resource_id'),
    subjectId: uuid('subject_id').generatedAlwaysAs((): SQL => sql`coalesce(staff_id, resource_id)`),
    busy: multirange('busy').notNull(),
    /** Minutes since 1970, and the stretches as `app.busy` answers them. */
    begins: integer('begins').generatedAlwaysAs((): SQL => sql`app.minute_of(lower(busy))`),
    ends: integer('ends').generatedAlwaysAs((): SQL => sql`app.minute_of(upper(busy))`),
    pieces: text('pieces').generatedAlwaysAs((): SQL => sql`app.pieces_of(busy)`),
    /** Deliberately over others, so outside the rule. */
    deliberate: boolean('deliberate').notNull().default(false),
    /** Of a hold: from then on it is in nobody's way. */
    expiresAt: instant('expires_at'),
  }),
  (t) => [
    tenantReference('occupancies_appointment', [t.companyId, t.appointmentId], appointments).onDelete('cascade'),
    tenantReference('occupancies_hold', [t.companyId, t.holdId], holds).onDelete('cascade'),
    tenantReference('occupancies_staff', [t.companyId, t.staffId], staff),
    tenantReference('occupancies_resource', [t.companyId, t.resourceId], resources),
    index('occupancies_of_appointment').on(t.companyId, t.appointmentId).where(sql`appointment_id is not null`),
    index('occupancies_of_hold').on(t.companyId, t.holdId).where(sql`hold_id is not null`),
    index('occupancies_busy')
      .on(t.companyId, t.subjectId, t.begins, t.ends, t.pieces, t.expiresAt)
      .where(sql`not deliberate`),
    index('occupancies_expiry').on(t.companyId, t.expiresAt).where(sql`expires_at is not null`),
  ],
);
