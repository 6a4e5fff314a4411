import ICAL from 'ical.js';
import { describe, expect, test } from 'vitest';
import { parseId } from '../../../src/core/id.ts';
import { addKey, addUser } from '../../support/accounts.ts';
import type { Json, Reply } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { inOneMinute, until } from '../../support/until.ts';

// What a calendar shows of the company's appointments, to whoever knows its address.

const world = await sharedWorld();
const tenant = await openCompany(world);
const { api } = tenant;
const salon = await openSalon(api);
const ben = await api.post('/staff', { firstName: 'Ben', branchIds: [salon.branchId], serviceIds: [salon.serviceId] });
const client = await api.post('/clients', {
  firstName: 'Zoë',
  lastName: 'Ü; “K”, \\n',
  notes: 'allergic',
  phone: '+436641234567',
});

const DAY = 86_400_000;
const today = Math.floor(Date.now() / DAY) * DAY;
/** A time on a day from today. */
const at = (days: number, hour = 8): string => new Date(today + days * DAY + hour * 3_600_000).toISOString();

const of = async (path: string): Promise<string> => {
  const reply = await api.post(`${path}/calendar`);
  expect(reply.status, reply.text).toBe(200);
  expect(Object.keys(reply.json)).toEqual(['url']);
  return String(reply.json.url).replace(/^.*\/api\/v1/, '');
};
const anyone = world.api.as(null);
const eventsIn = (reply: Reply): Record<string, ICAL.Event> => {
  expect(reply.status, reply.text).toBe(200);
  const calendar = new ICAL.Component(ICAL.parse(reply.text));
  const all = calendar.getAllSubcomponents('vevent').map((each) => new ICAL.Event(each));
  return Object.fromEntries(all.map((event) => [event.uid, event]));
};
const statusOf = (event: ICAL.Event | undefined): unknown => event?.component.getFirstPropertyValue('status');
async function book(more: Json): Promise<Json> {
  const services = [{ serviceId: salon.serviceId }];
  const reply = await api.post('/appointments', {
    branchId: salon.branchId,
    staffId: salon.staffId,
    services,
    ...more,
  });
  expect(reply.status, reply.text).toBe(201);
  return reply.json;
}

describe('a calendar', () => {
  test('shows what is booked, and not more of the person than their name', async () => {
    const [eve, branch] = [await of(`/staff/${salon.staffId}`), await of(`/branches/${salon.branchId}`)];
    const booked = await book({ startsAt: at(1), clientId: client.json.id, notes: 'a secret', status: 'CONFIRMED' });
    const pending = await book({ startsAt: at(2), staffId: ben.json.id });
    const both = await book({
      startsAt: at(3),
      services: [{ serviceId: salon.serviceId }, { serviceId: salon.serviceId, staffId: ben.json.id }],
    });
    const far = await book({ startsAt: at(400) });
    const read = await anyone.get(eve);
    expect(read.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
    for (const hidden of ['a secret', 'allergic', '4366']) expect(read.text).not.toContain(hidden);
    const own = eventsIn(read);
    expect(Object.keys(own).sort()).toEqual([booked.id, both.id].map(String).sort());
    const event = own[String(booked.id)];
    expect(event).toMatchObject({ summary: 'Zoë Ü; “K”, \\n · Cut', location: 'Calendar', sequence: booked.version });
    expect(event?.startDate.toJSDate().toISOString()).toBe(booked.startsAt);
    expect(event?.endDate.toJSDate().toISOString()).toBe(booked.endsAt);
    expect(statusOf(event)).toBe('CONFIRMED');
    const all = eventsIn(await anyone.get(branch));
    expect(Object.keys(all)).not.toContain(far.id);
    expect(Object.keys(all)).toHaveLength(3);
    expect(statusOf(all[String(pending.id)])).toBe('TENTATIVE');
    expect(all[String(both.id)]).toMatchObject({ summary: 'Cut, Cut · Eve, Ben' });
    // Their own part of it alone.
    const his = eventsIn(await anyone.get(await of(`/staff/${ben.json.id}`)))[String(both.id)];
    expect(his).toMatchObject({ summary: 'Cut' });
    expect(his?.startDate.toJSDate().toISOString()).toBe(new Date(Date.parse(at(3)) + 30 * 60_000).toISOString());
    expect(his?.endDate.toJSDate().toISOString()).toBe(both.endsAt);
  });

  test('is cached, and fresh after a change; who holds it is told so', async () => {
    const path = await of(`/staff/${salon.staffId}`);
    const booked = await book({ startsAt: at(4), clientId: client.json.id });
    const first = await anyone.get(path);
    const again = await anyone.get(path);
    expect([first, again].map(({ headers }) => headers.get('x-cache'))).toEqual(['MISS', 'HIT']);
    const etag = String(again.headers.get('etag'));
    const held = await anyone.get(path, { headers: { 'If-None-Match': etag } });
    expect([held.status, held.text]).toEqual([304, '']);
    expect((await anyone.ask('HEAD', path)).status).toBe(200);
    const soon = async (
      elsewhere: string,
      is: (event: ICAL.Event | undefined) => boolean,
    ): Promise<ICAL.Event | undefined> =>
      until('the change is there', async () => {
        const reply = await anyone.at(elsewhere).get(path, { headers: { 'If-None-Match': etag } });
        const event = reply.status === 304 ? undefined : eventsIn(reply)[String(booked.id)];
        return reply.status !== 304 && is(event) ? [event] : null;
      }).then(([event]) => event);
    await api.post(`/appointments/${booked.id}/reschedule`, { startsAt: at(4, 12) });
    const moved = await soon(world.worker.url, (event) => event?.startDate.toJSDate().toISOString() === at(4, 12));
    expect(moved?.sequence).toBe(Number(booked.version) + 1);
    await api.delete(`/appointments/${booked.id}`);
    expect(statusOf(await soon(String(world.elsewhere[0]), (event) => statusOf(event) === 'CANCELLED'))).toBe(
      'CANCELLED',
    );
    await api.patch(`/clients/${client.json.id}`, { firstName: 'Zoe' });
    await soon(world.worker.url, (event) => event?.summary.startsWith('Zoe Ü') === true);
    await api.post(`/clients/${client.json.id}/erase`);
    await soon(world.worker.url, (event) => event?.summary === 'Cut');
    expect((await anyone.get(path)).text).not.toContain('Zo');
  });

  test('forgets what was long ago, and shows cancelled ones for a while', async () => {
    const path = await of(`/staff/${salon.staffId}`);
    const [old, gone, kept] = [
      await book({ startsAt: at(5) }),
      await book({ startsAt: at(6) }),
      await book({ startsAt: at(7) }),
    ];
    await api.delete(`/appointments/${gone.id}`);
    const ago = (field: string, { id }: Json): Promise<unknown> =>
      // Without triggers for the second, which would say when it really changed.
      world.sql(`set session_replication_role = ${field === 'updated_at' ? 'replica' : 'origin'};
        update appointments set ${field} = date_trunc('minute', now()) - interval '40 days' where id = '${parseId('appt', String(id))}';
        set session_replication_role = origin`);
    const shown = async (): Promise<boolean[]> => {
      const { text } = await anyone.get(await of(`/staff/${salon.staffId}`));
      return [old, gone, kept].map(({ id }) => text.includes(String(id)));
    };
    expect(await shown()).toEqual([true, true, true]);
    await ago('starts_at', old);
    await ago('updated_at', gone);
    expect(await shown()).toEqual([false, false, true]);
    expectProblem(await anyone.get(path), 'not_found');
  });
});

describe('an address', () => {
  test('is given to who may write the catalogue, and replaces the one before', async () => {
    const [first, second] = [await of(`/branches/${salon.branchId}`), await of(`/branches/${salon.branchId}`)];
    await until('the old one stops', async () => (await anyone.get(first)).status === 404);
    expect((await anyone.get(second)).status).toBe(200);
    const staff = await addUser(world, tenant, 'STAFF');
    const { api: reader } = await addKey(api, ['catalog:read']);
    expectProblem(await staff.post(`/branches/${salon.branchId}/calendar`), 'forbidden');
    expectProblem(await reader.post(`/branches/${salon.branchId}/calendar`), 'forbidden');
    // Nor to who may not read what stands there.
    const paths = [`/branches/${salon.branchId}/calendar`, `/staff/${salon.staffId}/calendar`];
    for (const scopes of [[], ['appointments:read'], ['clients:read']]) {
      const { api: blind } = await addKey(api, ['catalog:write', ...scopes]);
      for (const path of paths) expectProblem(await blind.post(path), 'forbidden');
    }
    const { api: seeing } = await addKey(api, ['catalog:write', 'appointments:read', 'clients:read']);
    for (const path of paths) expect((await seeing.post(path)).status).toBe(200);
    expect((await (await addUser(world, tenant, 'MANAGER')).post(`/staff/${salon.staffId}/calendar`)).status).toBe(200);
    expectProblem(await api.post('/staff/stf_01h455vb4pex5vsknk084sn02q/calendar'), 'not_found');
    const stranger = await openCompany(world);
    expectProblem(await stranger.api.post(`/staff/${salon.staffId}/calendar`), 'not_found');
  });

  test('of somebody archived stops, and goes on when they are back', async () => {
    const path = await of(`/staff/${ben.json.id}`);
    expect((await anyone.get(path)).status).toBe(200);
    await api.delete(`/staff/${ben.json.id}`);
    expectProblem(await api.post(`/staff/${ben.json.id}/calendar`), 'conflict');
    await until('it stops', async () => (await anyone.get(path)).status === 404);
    await api.post(`/staff/${ben.json.id}/restore`);
    await until('it goes on', async () => (await anyone.get(path)).status === 200);
  });

  test('is told once: it is in no log, event or list, and no page of another origin reads it', async () => {
    const path = await of(`/staff/${salon.staffId}`);
    const secret = path.replace(/.*\/|\.ics$/g, '');
    const wrong = path.replace(/.\.ics$/, (end) => (end.startsWith('A') ? 'Q.ics' : 'A.ics'));
    const read = await anyone.get(path, { headers: { Origin: 'https://evil.example' } });
    expect(read.status).toBe(200);
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
    expect(read.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(read.headers.get('cache-control')).toMatch(/^private/);
    const unlike = await anyone.get(wrong);
    expectProblem(unlike, 'not_found');
    const nothing = await anyone.get('/calendars/nothing.ics');
    expect(JSON.parse(nothing.text)).toMatchObject({ detail: unlike.json.detail });
    const events = (await api.get('/events?limit=500&after=0')).text;
    expect(events).toContain('calendar.created');
    expect(events).toContain('calendar.deleted');
    const kept = await world.sql(`select encode(hash, 'hex') as hash from calendar_secrets`);
    await until('the log has it', () => world.worker.logs.some((line) => line.includes('/calendars/:file')));
    for (const text of [events, JSON.stringify(kept), ...world.worker.logs]) {
      expect(text.includes(secret)).toBe(false);
      for (const { hash } of kept) if (text !== JSON.stringify(kept)) expect(text.includes(String(hash))).toBe(false);
    }
  });

  test('is read sixty times a minute, and guessed a hundred and twenty times from one place', async () => {
    const path = await of(`/staff/${salon.staffId}`);
    const from = (address: string, asked: string) => anyone.get(asked, { headers: { 'CF-Connecting-IP': address } });
    await inOneMinute(async () => {
      const replies: number[] = [];
      for (let n = 0; n < 63; n += 1) replies.push((await from('192.0.2.1', path)).status);
      // The first was nobody's yet.
      expect(replies.filter((status) => status === 200).length).toBeLessThanOrEqual(61);
      expect(replies.at(-1)).toBe(429);
      expect((await from('192.0.2.2', path)).status).toBe(429);
      for (let n = 0; n < 120; n += 1) await from('192.0.2.3', '/calendars/guess.ics');
      const late = await from('192.0.2.3', '/calendars/guess.ics');
      expectProblem(late, 'rate_limited');
      expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
      expectProblem(await from('192.0.2.4', '/calendars/guess.ics'), 'not_found');
    });
  });
});
