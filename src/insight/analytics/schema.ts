import * as z from 'zod';
import { APPOINTMENT_STATUSES } from '../../calendar/appointments/table.ts';
import { lazy } from '../../core/lazy.ts';
import { moneyView } from '../../http/money.ts';

const count = (description: string) => z.int().describe(description);

/** What all reports have in common: groups, which sum to the total. */
const report = <F extends z.ZodRawShape, M extends z.ZodRawShape>(id: string, figures: F, more: M, example: object) =>
  z
    .object({
      data: z.array(
        z.object({
          key: z.string().nullable().describe('What the group is of; null: of none.'),
          label: z.string().describe('What it is called now.'),
          ...figures,
          ...more,
        }),
      ),
      total: z.object(figures).describe('The sum of all groups.'),
      previous: z.object(figures).optional().describe('The same of as many days before, with `compare=previous`.'),
    })
    .meta({ id, examples: [example] });

const COUNTS = { count: 9, completed: 7, cancelled: 1, noShows: 1 };
export const AppointmentReport = lazy(() =>
  report(
    'AppointmentReport',
    {
      count: count('All, whatever became of them.'),
      completed: count('Of these, COMPLETED.'),
      cancelled: count('Of these, CANCELLED.'),
      noShows: count('Of these, NO_SHOW.'),
    },
    {},
    { data: [{ key: '2026-11-26', label: '2026-11-26', ...COUNTS }], total: COUNTS },
  ),
);

const money = (amount: number) => ({ amount, currency: 'EUR' });
const AMOUNTS = { net: money(4000), tax: money(800), gross: money(4800) };
const amounts = () => ({
  net: moneyView('Without taxes, after discounts.'),
  tax: moneyView('Taxes.'),
  gross: moneyView('With its taxes.'),
});
export const RevenueReport = lazy(() =>
  report(
    'RevenueReport',
    amounts(),
    {
      taxable: moneyView(
        'By tax alone: what this tax was taken from. Where lines have several taxes, their net counts once in `net`, with the first of them.',
      ).optional(),
    },
    { data: [{ key: '2026-11-26', label: '2026-11-26', ...AMOUNTS }], total: AMOUNTS },
  ),
);

const CLIENTS = { count: 40, visits: 52, noShows: 2 };
export const ClientReport = lazy(() =>
  report(
    'ClientReport',
    {
      count: count('Clients who had an appointment that was not cancelled.'),
      visits: count('Their appointments that were COMPLETED.'),
      noShows: count('Their appointments with NO_SHOW.'),
    },
    {},
    { data: [{ key: 'NEW', label: 'New', ...CLIENTS }], total: CLIENTS },
  ),
);

export const Dashboard = lazy(() =>
  z
    .object({
      date: z.string().describe('Today.'),
      timeZone: z.string().describe('Whose day it is: the branch’s where one is named, else the company’s.'),
      branchId: z.string().nullable(),
      appointments: z
        .object({
          count: count('All of today, cancelled ones too.'),
          upcoming: count('PENDING or CONFIRMED, and still to begin today.'),
          byStatus: z.object(Object.fromEntries(APPOINTMENT_STATUSES.map((status) => [status, z.int()]))),
        })
        .describe('Of today.'),
      revenue: z.object({
        today: z.object(amounts()),
        month: z.object(amounts()).describe('Of the calendar’s month.'),
      }),
      newClients: z
        .object({ today: z.int(), month: z.int() })
        .describe('Created in that time; of a branch, those of them who are booked there.'),
      overdue: z
        .object({ count: z.int(), balance: moneyView('What is still to be paid.') })
        .describe('Invoices due before today and not paid.'),
      noShows: z
        .object({
          days: z.int(),
          completed: z.int(),
          noShows: z.int(),
          rate: z.number().nullable().describe('No-shows of those who were to come, 0 to 1; null: nobody was.'),
        })
        .describe('Of so many days before today.'),
    })
    .meta({
      id: 'Dashboard',
      examples: [
        {
          ...{ date: '2026-11-26', timeZone: 'Europe/Vienna', branchId: null },
          appointments: {
            count: 9,
            upcoming: 4,
            byStatus: { ...Object.fromEntries(APPOINTMENT_STATUSES.map((status) => [status, 0])), CONFIRMED: 9 },
          },
          revenue: { today: AMOUNTS, month: AMOUNTS },
          newClients: { today: 1, month: 14 },
          overdue: { count: 2, balance: money(9600) },
          noShows: { days: 30, completed: 190, noShows: 10, rate: 0.05 },
        },
      ],
    }),
);
