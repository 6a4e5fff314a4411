import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Service, StaffMember } from '../../../src/calendar/catalogue.ts';
import type { Hours } from '../../../src/calendar/working-time.ts';
import { instantTexts, minuteOf } from '../../../src/core/civil.ts';
import type { Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { SEED } from '../../support/draws.ts';
import { ownWorld } from '../../support/shared.ts';
import { Model } from '../../unit/calendar/model.ts';
import { type Place, type World, worldsAt } from '../../unit/calendar/worlds.ts';

// What availability offers over HTTP, beside what can be held there and what a model finds by trying: random salons on days
// whose clocks change and on others, filled with bookings from availability itself.

const PLACES: readonly Place[] = [
  ['America/New_York', ['2028-03-12', '2028-11-05', '2028-06-10']],
  ['Europe/Vienna', ['2028-03-26', '2028-10-29', '2028-12-30']],
  ['Australia/Lord_Howe', ['2028-10-01', '2028-04-02', '2028-02-28']],
];
/** As many salons as it takes to judge so many starts of which so many are offered, and no more salons than that. */
const [STARTS, OFFERED, SALONS] = [2500, 200, 150];
const BOOKINGS = 6;
const seed = Number(process.env.SEED ?? SEED);

const settings = { RATE_LIMIT_PER_MINUTE: '100000000' };
const world = await ownWorld(settings);
const { api } = await openCompany(world);

const post = async (path: string, body: unknown): Promise<string> => {
  const reply = await api.post(path, body);
  if (reply.status !== 201) throw new Error(`${path} answered ${reply.status}: ${reply.text} (seed ${seed})`);
  return String(reply.json.id);
};

/** Hours as the API takes them: none end before they begin to hold. */
const sound = (all: readonly Hours[]): Hours[] =>
  all.filter(({ validFrom, validTo }) => String(validFrom ?? '') <= String(validTo ?? '9999'));

/** A drawn world as it is over HTTP, with the ids that things have there. */
async function built(drawn: World): Promise<{ world: World; ids: Map<string, string> }> {
  const ids = new Map<string, string>();
  const { from, to } = drawn;
  const branch = { ...drawn.branch, openingHours: sound(drawn.branch.openingHours) };
  // Nobody has hours at a branch that they do not work at.
  const staff = drawn.staff.map((each) => ({
    ...each,
    workingHours: sound(each.workingHours).filter(({ branchId }) => !branchId || each.branchIds.includes(branchId)),
  }));
  // Those of a resource are of its branch.
  const resources = drawn.resources.map((each) => ({
    ...each,
    workingHours: sound(each.workingHours).map(({ branchId, ...rest }) => rest),
  }));
  const { openingHours, holidays, timeZone } = branch;
  const day = { openingHours, holidays: holidays.map((each) => ({ ...each, name: 'Closed' })) };
  ids.set('here', await post('/branches', { name: 'Here', timeZone, ...day }));
  ids.set('there', await post('/branches', { name: 'There', timeZone }));
  const named = (id: unknown) => ids.get(String(id));
  const hours = (own: StaffMember['workingHours']) =>
    own.map(({ branchId, ...rest }) => ({ ...rest, ...(branchId && { branchId: named(branchId) }) }));
  for (const member of staff) {
    const body = {
      firstName: member.id,
      branchIds: member.branchIds.map(named),
      workingHours: hours(member.workingHours),
    };
    ids.set(member.id, await post('/staff', body));
  }
  const services = drawn.services.map((each) => ({ ...each, leadTimeMinutes: null, horizonDays: null }));
  for (const {
    id,
    name,
    durationMinutes,
    bufferBeforeMinutes,
    bufferAfterMinutes,
    processing,
    requires,
    staff: terms,
  } of services) {
    const own = terms.map((each) => ({ ...each, staffId: named(each.staffId) }));
    const body = { name, durationMinutes, bufferBeforeMinutes, bufferAfterMinutes, processing, requires, staff: own };
    ids.set(id, await post('/services', body));
  }
  const offered = services.map(({ id }) => named(id));
  for (const { id } of staff) await api.patch(`/staff/${named(id)}`, { serviceIds: offered });
  for (const { id, kind, isActive, workingHours } of resources) {
    const made = await post('/resources', {
      name: id,
      kind,
      branchId: named('here'),
      workingHours: hours(workingHours),
    });
    ids.set(id, made);
    if (!isActive) await api.delete(`/resources/${made}`);
  }
  for (const [id, away] of drawn.timeOff) {
    const path = staff.some((each) => each.id === id) ? 'staff' : 'resources';
    const texts = instantTexts(away);
    for (let i = 0; named(id) !== undefined && i < texts.length; i += 2)
      await post(`/${path}/${named(id)}/time-off`, { startsAt: texts[i], endsAt: texts[i + 1] });
  }
  return { world: { ...drawn, branch, staff, services, resources, busy: new Map(), from, to }, ids };
}

/** What a booking keeps busy, minute by minute of whoever it is. */
function occupy(
  busy: Map<string, number[]>,
  services: readonly Service[],
  member: StaffMember,
  start: number,
  chairs: string[],
) {
  let at = start;
  const [first, last] = [services[0], services.at(-1)];
  const mark = (id: string, from: number, to: number) => busy.set(id, [...(busy.get(id) ?? []), from, to]);
  for (const service of services) {
    const duration =
      service.staff.find((each) => each.staffId === member.id)?.durationMinutes ?? service.durationMinutes;
    for (let minute = 0; minute < duration; minute += 1) {
      const develops = service.processing.some(
        (each) => minute >= each.afterMinutes && minute < each.afterMinutes + each.minutes,
      );
      if (!develops) mark(member.id, at + minute, at + minute + 1);
    }
    at += duration;
  }
  const [before, after] = [start - (first?.bufferBeforeMinutes ?? 0), at + (last?.bufferAfterMinutes ?? 0)];
  mark(member.id, before, start);
  mark(member.id, at, after);
  for (const chair of chairs) mark(chair, before, after);
}

type Judged = { starts: number; offered: number; booked: number };

async function judge(drawn: World, counts: Judged, random: () => number): Promise<void> {
  const { world: salon, ids } = await built(drawn);
  const { services, from, to, stepMinutes } = salon;
  const idOf = (id: string): string => String(ids.get(id));
  const back = new Map([...ids].map(([id, public_]) => [public_, id]));
  const query = `branchId=${idOf('here')}&serviceId=${services.map(({ id }) => idOf(id))}&from=${from}&to=${to}&stepMinutes=${stepMinutes}`;
  const free = async (): Promise<Map<string, number[]>> => {
    const reply = await api.get(`/availability?${query}`);
    expect(reply.status, reply.text).toBe(200);
    const data = reply.json.data as { staffId: string; starts: string[] }[];
    return new Map(data.map(({ staffId, starts }) => [back.get(staffId) ?? '', starts.map(minuteOf)]));
  };
  const wish = (member: StaffMember, minute: number) => ({
    ...{ branchId: idOf('here'), staffId: idOf(member.id), startsAt: instantTexts([minute])[0] },
    services: services.map(({ id }) => ({ serviceId: idOf(id) })),
  });
  const busy = new Map<string, number[]>();
  for (let n = 0; n < BOOKINGS; n += 1) {
    const member = salon.staff[n % salon.staff.length] as StaffMember;
    const starts = (await free()).get(member.id) ?? [];
    const start = starts[Math.floor(random() * starts.length)];
    if (start === undefined) continue;
    const booked = await api.post('/appointments', wish(member, start));
    expect(booked.status, `seed ${seed}: ${booked.text}`).toBe(201);
    const chairs = (booked.json.resources as { resourceId: string }[]).map((each) => back.get(each.resourceId) ?? '');
    occupy(busy, services, member, start, chairs);
    counts.booked += 1;
  }
  const model = new Model({ ...salon, busy });
  const offered = await free();
  for (const member of salon.staff.filter((each) => model.works(each, services))) {
    const lines = services.map((service) => ({ service, member }));
    const grid = model.grid(member);
    const expected = grid.filter((start) => model.bookable(start, lines));
    expect(offered.get(member.id), `seed ${seed}`).toEqual(expected);
    for (const start of grid) {
      const held = await api.post('/holds', wish(member, start));
      const isFree = expected.includes(start);
      if (held.status !== (isFree ? 201 : 409)) throw new Error(told(start, isFree, held));
      if (isFree) expect((await api.delete(`/holds/${held.json.id}`)).status).toBe(204);
      counts.starts += 1;
      counts.offered += isFree ? 1 : 0;
    }
  }
}

const told = (start: number, isFree: boolean, { status, text }: Reply): string =>
  `seed ${seed}: ${instantTexts([start])[0]} is ${isFree ? 'free' : 'taken'} and was answered ${status}: ${text}`;

test('every start that is offered can be held, every other step of the grid is refused, and a model finds the same', async () => {
  const counts: Judged = { starts: 0, offered: 0, booked: 0 };
  const salons = fc.sample(worldsAt(PLACES), { numRuns: SALONS, seed });
  let state = seed;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  let judged = 0;
  for (const drawn of salons) {
    if (counts.starts > STARTS && counts.offered > OFFERED) break;
    await judge({ ...drawn, stepMinutes: Math.max(10, drawn.stepMinutes) }, counts, random);
    judged += 1;
  }
  console.log(
    `seed ${seed}: ${judged} salons, ${counts.booked} bookings, ${counts.starts} starts judged, ${counts.offered} of them offered`,
  );
  expect(counts.starts).toBeGreaterThan(STARTS);
  expect(counts.offered).toBeGreaterThan(OFFERED);
});
