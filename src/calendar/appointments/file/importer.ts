import { minuteOf } from '../../../core/civil.ts';
import { AppError } from '../../../core/errors.ts';
import { type Given, type Importer, type ImportRow, onlyShown } from '../../../resources/importer.ts';
import { clockAt } from '../../known-offsets.ts';
import { AppointmentView } from '../schema.ts';
import { type Document, planRow } from './planned.ts';
import { AppointmentFile, type FileRow } from './schema.ts';
import { readShelf } from './shelf.ts';

const ignored = onlyShown(AppointmentView, AppointmentFile);

/** Appointments of another system, whatever has become of them (migrations/0063_fewest_overlaps.sql). */
export const appointmentImporter: Importer<FileRow> = {
  resource: 'appointments',
  example: {
    ...{ externalId: 'b-1', branchExternalId: 'main', staffExternalId: 'jj', clientExternalId: 'crm-1042' },
    ...{ services: [{ serviceExternalId: 'cut' }], localStart: '2018-03-14T15:50', status: 'COMPLETED' },
  },
  chunk: 100,
  table: 'appointments',
  needs: [
    ['branchExternalId', 'branchId'],
    ['serviceExternalIds', 'services'],
    ['staffExternalId', 'staffId', 'services'],
    ['startsAt', 'localStart'],
  ].map((columns) => ({ columns, always: false })),
  matches: ['externalId'],
  get ignored() {
    return ignored();
  },
  schema: () => AppointmentFile(),
  async prepare(_match, all, desk) {
    const rows = new Map(all.map((given) => [given, given.value]));
    const shelf = all.length === 0 ? null : await readShelf([...rows.values()], desk);
    const plans = new Map<Given<FileRow>, Document | AppError>();
    for (const [given, row] of rows) {
      if (shelf === null) break;
      try {
        plans.set(given, await planRow(row, shelf, desk.now));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        plans.set(given, error);
      }
    }
    const clock = clockAt(
      [...plans.values()].flatMap((plan) =>
        plan instanceof AppError ? [] : { timeZone: plan.time_zone, minute: minuteOf(plan.starts_at) },
      ),
    );
    return (given): ImportRow => {
      const plan = plans.get(given);
      if (plan === undefined || plan instanceof AppError) throw plan ?? new AppError('internal_error');
      const key = rows.get(given)?.externalId;
      return { id: given.id, key, version: shelf?.stored.get(key ?? '')?.version ?? null, clock, ...plan };
    };
  },
  upsert: () => 'select app.take_appointments($1)',
};
