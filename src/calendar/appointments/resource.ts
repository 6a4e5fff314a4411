import { type SQL, sql } from 'drizzle-orm';
import { branches } from '../../catalog/branches/table.ts';
import { resources } from '../../catalog/resources/table.ts';
import { services } from '../../catalog/services/table.ts';
import { staff } from '../../catalog/staff/table.ts';
import { instantOf } from '../../core/instant.ts';
import { withMembers } from '../../core/lazy.ts';
import { actorOf } from '../../data/event.ts';
import { clients } from '../../people/clients/table.ts';
import type { ArchiveOf } from '../../resources/archive.ts';
import { daysBetween } from '../../resources/filters.ts';
import type { Referring } from '../../resources/import-references.ts';
import { tenantResource } from '../../resources/tenant-resource.ts';
import { fitting } from '../asked.ts';
import { marksTaken, touchedBusy } from '../busy-days.ts';
import { series } from '../series/table.ts';
import { localShown, occupiedShown, partsShown } from '../shown.ts';
import { appointmentImporter } from './file/importer.ts';
import { boardTags, found, isDoneBy, touchedDays } from './filters.ts';
import { AppointmentCreate, AppointmentPatch, AppointmentView } from './schema.ts';
import { APPOINTMENT_STATUSES, appointments, type StatusEntry } from './table.ts';

const LIVING = APPOINTMENT_STATUSES.filter((status) => status !== 'CANCELLED');

/** Who cancels takes it out of sight; brought back it is as good as confirmed. */
const byCancelling: ArchiveOf = () => ({
  filter: {
    status: {
      kind: 'enumList',
      values: APPOINTMENT_STATUSES,
      description: 'One or several; cancelled appointments are shown only when asked for.',
    },
  },
  parts: ({ filters: { status } }) => ({
    column: sql`appointments.status`,
    values: Array.isArray(status) ? status : LIVING,
    of: (row) => row.status,
  }),
  archive: () => sql`status = 'CANCELLED'`,
  restore: () => sql`status = case when status = 'CANCELLED' then 'CONFIRMED' else status end`,
});

/** Whom and what its lines in an export name. */
const NAMED: Referring = {
  ids: {
    branchId: { prefix: 'brch', table: branches },
    staffId: { prefix: 'stf', table: staff },
    clientId: { prefix: 'clnt', table: clients },
  },
  within: {
    services: { serviceId: { prefix: 'svc', table: services }, staffId: { prefix: 'stf', table: staff } },
    resources: { resourceId: { prefix: 'rsrc', table: resources } },
  },
  required: new Set(),
};

/** The appointments that a staff member does some of, as their own index holds them. */
const doneBy = (
  id: unknown,
): SQL => sql`(select s.appointment_id as id, s.company_id, s.status, s.branch_id, s.client_id, s.series_id, s.starts_at,
  s.local_date, s.created_at, s.updated_at from appointment_staff s where s.staff_id = ${id}::uuid)`;

const historyShown = ({ status, at, by, reason }: StatusEntry): unknown => {
  const { type, id } = actorOf(by);
  // Whom a file names is nobody of ours.
  const who = by.startsWith('IMPORT') ? by.slice('IMPORT:'.length) || 'IMPORT' : (id ?? type);
  return { status, at: instantOf(at), by: who, reason: reason ?? null };
};

const made = tenantResource(appointments, {
  entity: 'appointment',
  prefix: 'appt',
  permission: 'appointments',
  view: AppointmentView,
  create: AppointmentCreate,
  patch: AppointmentPatch,
  references: {
    branchId: { prefix: 'brch', table: branches },
    clientId: { prefix: 'clnt', table: clients },
    staffId: { prefix: 'stf', table: staff },
    seriesId: { prefix: 'ser', table: series },
  },
  computed: {
    services: (row) => partsShown(row.services),
    resources: (row) => occupiedShown(row.resources),
    localStart: localShown,
    statusHistory: (row) => row.status_history.map(historyShown),
  },
  archive: byCancelling,
  filters: {
    branchId: { kind: 'id', description: 'Is at this branch.' },
    staffId: {
      kind: 'id',
      description: 'This staff member does some of it.',
      condition: (id) => ({
        // A look into its own index for each row that a walk passes: as a join it read all parts of the staff member for each.
        where: sql`exists (select from appointment_parts p where p.company_id = appointments.company_id and p.appointment_id = appointments.id
          and p.staff_id = ${id}::uuid offset 0)`,
        holds: ({ services }) => isDoneBy(services, id),
        held: { rows: doneBy(id), along: 'created_at' },
      }),
    },
    clientId: { kind: 'id', description: 'Is for this client.' },
    seriesId: { kind: 'id', description: 'Is an occurrence of this series.' },
    date: {
      kind: 'date',
      description: 'Begins on this day of its branch.',
      condition: (date) => ({
        where: sql`appointments.local_date = ${date}::date`,
        holds: (row) => row.local_date === date,
      }),
    },
    ...daysBetween(
      { column: sql`appointments.local_date`, name: 'local_date' },
      {
        from: 'Begins on this day of its branch or later.',
        to: 'Begins before this day of its branch.',
      },
    ),
  },
  sorts: ['startsAt'],
  constraints: fitting('appointments'),
  touches: (change) => [...touchedDays(change), ...touchedBusy(change)],
});

export const appointment = withMembers(made, {
  marksTaken,
  importer: appointmentImporter,
  exported: { referring: () => NAMED },
  filters: (query: Parameters<typeof made.filters>[0]) => [...made.filters(query), ...found(query)],
  listTags: boardTags,
});
