export type Appointment = {
  id: string;
  clientId: string | null;
  services: { serviceId: string; staffId: string; durationMinutes: number }[];
  localStart: string;
  status: string;
  allowOverlap: boolean;
};

/** The files' code of an id. */
export type CodeOf = (id: string | null) => string;

const STATUSES = ['COMPLETED', 'NO_SHOW', 'CANCELLED'];

export const distinct = (values: readonly string[]): string[] => [...new Set(values)].sort();

const staffOf = ({ services: [first] }: Appointment, codeOf: CodeOf): string => codeOf(first?.staffId ?? null);

/** How many, of which kind, whose and when. */
export function visitsIn(appointments: readonly Appointment[], codeOf: CodeOf): [string, number][] {
  const count = (which: (each: Appointment) => boolean): number => appointments.filter(which).length;
  const members = distinct(appointments.map((each) => staffOf(each, codeOf)));
  return [
    ['bookings', count(({ status }) => status !== 'CANCELLED')],
    ['appointments', appointments.length],
    ...STATUSES.map((wanted): [string, number] => [`  ${wanted}`, count(({ status }) => status === wanted)]),
    ['  of nobody in particular', count(({ clientId }) => clientId === null)],
    ...members.flatMap((member) =>
      STATUSES.map((wanted): [string, number] => [
        `  ${member} ${wanted}`,
        count((each) => staffOf(each, codeOf) === member && each.status === wanted),
      ]),
    ),
    ...distinct(appointments.map(({ localStart }) => localStart.slice(0, 7))).map((month): [string, number] => [
      `  in ${month}`,
      count(({ localStart }) => localStart.startsWith(month)),
    ]),
    ['overlapping on purpose', count(({ allowOverlap }) => allowOverlap)],
  ];
}

export function appointmentRow(each: Appointment, codes: Record<'service' | 'staff' | 'client', CodeOf>): string {
  const [part] = each.services;
  return [
    ...[codes.client(each.clientId), staffOf(each, codes.staff), codes.service(part?.serviceId ?? null)],
    ...[each.localStart, part?.durationMinutes, each.status, each.allowOverlap ? 'overlaps' : ''],
  ].join(' | ');
}
