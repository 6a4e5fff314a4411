import type { Api, Json, Reply } from './api.ts';
import type { Kit, Refusal } from './fixtures/fixture.ts';
import { yearLike } from './years.ts';

// Where bookings of a company are made, and what only they can say. Fixtures hold these under `within` and `refusals`.

type Salon = { branchId: string; staffId: string; serviceId: string };

async function made(api: Api, path: string, body: Json): Promise<string> {
  const reply = await api.post(path, body);
  if (reply.status !== 201) throw new Error(`${path}: ${reply.text}`);
  return String(reply.json.id);
}

/** A branch that is always open, with somebody who does one thing there. */
export async function openSalon(api: Api): Promise<Salon> {
  const branchId = await made(api, '/branches', { name: 'Calendar', timeZone: 'Europe/Vienna' });
  const serviceId = await made(api, '/services', {
    name: 'Cut',
    durationMinutes: 30,
    price: { amount: 4500, currency: 'EUR' },
  });
  const staffId = await made(api, '/staff', { firstName: 'Eve', branchIds: [branchId], serviceIds: [serviceId] });
  return { branchId, staffId, serviceId };
}

/** When fixtures book. */
export const BOOKED_YEAR = yearLike(2031);

const salons = new Map<string, Promise<Salon>>();
let booked = 0;
const FIRST = Date.parse(`${BOOKED_YEAR}-01-01T00:00:00Z`);

function salonOf(api: Api): Promise<Salon> {
  const key = `${api.token}`;
  const salon = salons.get(key) ?? openSalon(api);
  salons.set(key, salon);
  return salon;
}

/** A start that no other booking has. */
export function free(): string {
  booked += 1;
  return new Date(FIRST + booked * 30 * 60_000).toISOString();
}

/** What a booking is of, at a time that no other one has. */
export async function slot(api: Api): Promise<Json> {
  const { branchId, staffId, serviceId } = await salonOf(api);
  return { branchId, staffId, services: [{ serviceId }], startsAt: free() };
}

const at = (localStart: string) => ({ startsAt: undefined, localStart });

/** The usual request with other members: of its body, or of each item of a bulk. */
const saying =
  (members: (kit: Kit) => Json | Promise<Json>): Refusal =>
  async (kit) => {
    const shot = await kit.aim();
    const more = await members(kit);
    const { items } = (shot.body ?? {}) as { items?: Json[] };
    const body =
      items === undefined
        ? { ...shot.body, ...more }
        : { ...shot.body, items: items.map((each) => ({ ...each, ...more })) };
    return kit.fire(kit.tenant.api, { ...shot, body });
  };

/** Somebody who works on Mondays only, on a Sunday. */
const offDuty = saying(async ({ tenant }) => {
  const { branchId, serviceId } = await salonOf(tenant.api);
  const hours = [{ weekday: 1, start: '09:00', end: '17:00' }];
  const staff = { firstName: 'Monday', branchIds: [branchId], serviceIds: [serviceId], workingHours: hours };
  return { staffId: await made(tenant.api, '/staff', staff), ...at(`${BOOKED_YEAR}-01-05T10:00`) };
});

/** Somebody who does nothing. */
const idle = async ({ tenant }: Kit): Promise<Json> => {
  const { branchId } = await salonOf(tenant.api);
  return { staffId: await made(tenant.api, '/staff', { firstName: 'Idle', branchIds: [branchId] }) };
};

/** Where another booking is. */
const taken = async ({ tenant }: Kit): Promise<Json> => {
  const body = await slot(tenant.api);
  await made(tenant.api, '/appointments', body);
  return { startsAt: body.startsAt };
};

const NOBODY = 'stf_01h455vb4pex5vsknk084sn02q';

/** One that was given up. */
const overHold = async ({ tenant: { api } }: Kit): Promise<Json> => {
  const holdId = await made(api, '/holds', await slot(api));
  await api.delete(`/holds/${holdId}`);
  return { holdId };
};

/** A client who was erased. */
export async function erasedClient(api: Api): Promise<string> {
  const id = await made(api, '/clients', { firstName: 'Gone' });
  await api.post(`/clients/${id}/erase`);
  return id;
}
const forErased = saying(async ({ tenant }) => ({ clientId: await erasedClient(tenant.api) }));

/** A visit of somebody who was erased, of whom there is something to say. */
const saidOfErased: Refusal = async ({ tenant: { api }, aim, fire }) => {
  const clientId = await made(api, '/clients', { firstName: 'Gone' });
  const shot = await aim();
  await api.patch(`/appointments/${shot.id}`, { clientId });
  await api.post(`/clients/${clientId}/erase`);
  return fire(api, shot);
};

/** Of every route that plans a booking. */
const booking = (name: string): Record<string, Refusal> => ({
  [`${name} unknown_reference`]: saying(() => ({ staffId: NOBODY })),
  [`${name} not_offered`]: saying(idle),
  [`${name} nonexistent_local_time`]: saying(() => at(`${BOOKED_YEAR}-03-30T02:30`)),
  [`${name} ambiguous_local_time`]: saying(() => at(`${BOOKED_YEAR}-10-26T02:30`)),
  [`${name} slot_taken`]: saying(taken),
  [`${name} outside_working_hours`]: offDuty,
});

/** Once its time was given up and somebody else has it. */
const whenTaken =
  (body?: Json): Refusal =>
  async ({ tenant: { api }, aim, fire }): Promise<Reply> => {
    const shot = await aim();
    const { json } = await api.get(`/appointments/${shot.id}`);
    await api.delete(`/appointments/${shot.id}`);
    const [service] = json.services as { serviceId: string }[];
    const { branchId, staffId, startsAt } = json;
    await api.post('/appointments', { branchId, staffId, startsAt, services: [{ serviceId: service?.serviceId }] });
    return fire(api, { ...shot, body });
  };

/** Once it was given up, and who was to do it has left the branch. */
const whenGone =
  (body?: Json): Refusal =>
  async ({ tenant: { api }, aim, fire }): Promise<Reply> => {
    const shot = await aim();
    const { json } = await api.get(`/appointments/${shot.id}`);
    const serviceIds = (json.services as { serviceId: string }[]).map(({ serviceId }) => serviceId);
    const staffId = await made(api, '/staff', { firstName: 'Leaver', branchIds: [json.branchId], serviceIds });
    await api.post(`/appointments/${shot.id}/reschedule`, { staffId });
    await api.delete(`/appointments/${shot.id}`);
    await api.patch(`/staff/${staffId}`, { branchIds: [] });
    return fire(api, { ...shot, body });
  };

const inProgress: Refusal = async ({ tenant: { api }, aim, fire }) => {
  const shot = await aim();
  for (const status of ['CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS'])
    await api.post(`/appointments/${shot.id}/status`, { status });
  return fire(api, shot);
};

const cancelled: Refusal = async ({ tenant: { api }, aim, fire }) => {
  const shot = await aim();
  await api.delete(`/appointments/${shot.id}`);
  return fire(api, shot);
};

/** Of addresses of calendars, which nobody signs in to. */
export const calendarFileRefusals: Record<string, Refusal> = {
  'GET /calendars/:file not_found': ({ anyone }) => anyone.get('/calendars/nothing.ics'),
  'GET /calendars/:file rate_limited': async ({ anyone, aim, fire }) => {
    const shot = await aim();
    for (;;) {
      const reply = await fire(anyone, shot);
      if (reply.status !== 200) return reply;
    }
  },
};

/** Of appointments and holds. */
export const appointmentRefusals: Record<string, Refusal> = {
  ...booking('POST /appointments'),
  ...booking('POST /appointments/:id/reschedule'),
  ...booking('POST /appointments/bulk'),
  ...booking('POST /holds'),
  'POST /appointments hold_expired': saying(overHold),
  'POST /appointments/bulk hold_expired': saying(overHold),
  ...Object.fromEntries(
    ['POST /appointments', 'POST /appointments/bulk', 'PATCH /appointments/:id', 'POST /holds'].map((name) => [
      `${name} erased`,
      forErased,
    ]),
  ),
  'POST /appointments/:id/status erased': saidOfErased,
  'POST /appointments/:id/status illegal_transition': saying(() => ({ status: 'COMPLETED' })),
  'POST /appointments/:id/status slot_taken': whenTaken({ status: 'CONFIRMED' }),
  'POST /appointments/:id/restore slot_taken': whenTaken(),
  'POST /appointments/:id/status not_offered': whenGone({ status: 'CONFIRMED' }),
  'POST /appointments/:id/restore not_offered': whenGone(),
  'POST /appointments/:id/reschedule appointment_closed': cancelled,
  'DELETE /appointments/:id illegal_transition': inProgress,
};

/** The first occurrence of a series, by its name. */
async function firstOf({ tenant: { api } }: Kit, seriesId: string | null): Promise<string> {
  const { json } = await api.get(`/appointments?seriesId=${seriesId}&sort=startsAt&limit=1`);
  return String((json.data as { id: string }[])[0]?.id);
}

/** An edit of one occurrence. */
const editing =
  (members: (kit: Kit, occurrence: string) => Promise<Json>): Refusal =>
  async (kit) => {
    const shot = await kit.aim();
    const appointmentId = await firstOf(kit, shot.id);
    const body = { scope: 'THIS', appointmentId, ...(await members(kit, appointmentId)) };
    return kit.fire(kit.tenant.api, { ...shot, body });
  };

export const seriesRefusals: Record<string, Refusal> = {
  'POST /appointments/series unknown_reference': saying(() => ({ staffId: NOBODY })),
  'POST /appointments/series erased': forErased,
  'PATCH /appointments/series/:id erased': forErased,
  'POST /appointments/series not_offered': saying(idle),
  'POST /appointments/series series_conflict': saying(taken),
  'POST /appointments/series invalid_rrule': saying(() => ({ rrule: 'FREQ=DAILY' })),
  'POST /appointments/series hold_expired': saying(overHold),
  'PATCH /appointments/series/:id nonexistent_local_time': editing(async () => ({
    ...{ localStart: `${BOOKED_YEAR}-03-09T02:30`, timeZone: 'America/New_York' },
  })),
  'PATCH /appointments/series/:id ambiguous_local_time': editing(async () => ({
    ...{ localStart: `${BOOKED_YEAR}-11-02T01:30`, timeZone: 'America/New_York' },
  })),
  'PATCH /appointments/series/:id unknown_reference': saying(() => ({ clientId: NOBODY.replace('stf', 'clnt') })),
  'PATCH /appointments/series/:id not_offered': saying(idle),
  'PATCH /appointments/series/:id series_conflict': editing(taken),
  'PATCH /appointments/series/:id illegal_transition': editing(async ({ tenant: { api } }, id) => {
    for (const status of ['CONFIRMED', 'NO_SHOW']) await api.post(`/appointments/${id}/status`, { status });
    return { status: 'CANCELLED' };
  }),
  'PATCH /appointments/series/:id appointment_closed': editing(async ({ tenant }, id) => {
    await tenant.api.delete(`/appointments/${id}`);
    return { notes: 'Too late.' };
  }),
};
