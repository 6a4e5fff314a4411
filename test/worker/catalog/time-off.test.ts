import { describe, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { make } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);
const theirs = await openCompany(world, 'Theirs');

const week = (from: number): Json => ({
  startsAt: `2027-03-0${from}T08:00:00+01:00`,
  endsAt: `2027-03-0${from + 1}T08:00:00+01:00`,
});
const idsOf = (json: unknown): string[] => (json as { data: { id: string }[] }).data.map(({ id }) => id);

describe.each([
  ['staff', 'staffId', 'resourceId'],
  ['resources', 'resourceId', 'staffId'],
] as const)('time off of %s', (topic, own, other) => {
  test('is added, listed with its owner only, and deleted for good', async () => {
    const [one, two] = [await make(salon.api, topic), await make(salon.api, topic)];
    const made = await salon.api.post(`/${topic}/${one}/time-off`, { ...week(1), reason: 'Sick' });
    expect(made.status, made.text).toBe(201);
    expect(made.json).toMatchObject({
      [own]: one,
      [other]: null,
      startsAt: '2027-03-01T07:00:00.000Z',
      endsAt: '2027-03-02T07:00:00.000Z',
      reason: 'Sick',
      source: 'MANUAL',
      version: 1,
    });
    // They may overlap.
    await salon.api.post(`/${topic}/${one}/time-off`, week(1));
    const elsewhere = await salon.api.post(`/${topic}/${two}/time-off`, week(2));
    expect(idsOf((await salon.api.get(`/${topic}/${one}/time-off`)).json)).toHaveLength(2);
    expect(idsOf((await salon.api.get(`/${topic}/${two}/time-off`)).json)).toEqual([elsewhere.json.id]);

    const path = `/${topic}/${one}/time-off/${made.json.id}`;
    expect(made.headers.get('location')).toBe(`/api/v1${path}`);
    const [read, again] = [await salon.api.get(path), await salon.api.get(path)];
    expect([read.json, read.headers.get('x-cache'), again.headers.get('x-cache')]).toEqual([made.json, 'MISS', 'HIT']);
    expect((await salon.api.get(`${path}?fields=reason`)).json).toEqual({ id: made.json.id, reason: 'Sick' });
    // Nobody else's way leads to it.
    expectProblem(await salon.api.get(`/${topic}/${two}/time-off/${made.json.id}`), 'not_found');
    expectProblem(await theirs.api.get(path), 'not_found');
    expectProblem(await salon.api.delete(`/${topic}/${two}/time-off/${made.json.id}`), 'not_found');
    expectProblem(await theirs.api.delete(path), 'not_found');
    const stale = await salon.api.delete(path, { headers: { 'If-Match': '"2"' } });
    expectProblem(stale, 'version_mismatch');
    const gone = await salon.api.delete(path, { headers: { 'If-Match': '"1"' } });
    expect([gone.status, gone.text]).toEqual([204, '']);
    const list = await salon.api.get(`/${topic}/${one}/time-off`, {
      headers: { 'Min-Revision': String(gone.revision) },
    });
    expect(idsOf(list.json)).not.toContain(made.json.id);
    expectProblem(await salon.api.delete(path), 'not_found');
    expectProblem(await salon.api.get(path, { headers: { 'Min-Revision': String(gone.revision) } }), 'not_found');
    const events = (await salon.api.get(`/events?after=${gone.revision - 1}`)).json.data as Json[];
    expect(events[0]).toMatchObject({ type: 'time-off.deleted', entityId: made.json.id });
  });

  test('a walk is bound to its owner, and ends', async () => {
    const [one, two] = [await make(salon.api, topic), await make(salon.api, topic)];
    const made: string[] = [];
    for (const n of [3, 1, 2]) {
      made.push(String((await salon.api.post(`/${topic}/${one}/time-off`, week(n))).json.id));
    }
    const path = `/${topic}/${one}/time-off?sort=startsAt&limit=2`;
    const first = await salon.api.get(path);
    expect(idsOf(first.json)).toEqual([made[1], made[2]]);
    expect(first.headers.get('link')).toContain(`/staff/${one}/time-off?`.replace('staff', topic));
    const { nextCursor } = (first.json as { pagination: { nextCursor: string } }).pagination;
    const cursor = encodeURIComponent(nextCursor);
    const second = await salon.api.get(`${path}&cursor=${cursor}`);
    expect(idsOf(second.json)).toEqual([made[0]]);
    const foreign = await salon.api.get(`/${topic}/${two}/time-off?sort=startsAt&limit=2&cursor=${cursor}`);
    expectProblem(foreign, 'cursor_mismatch');
  });

  test('ends after it starts', async () => {
    const one = await make(salon.api, topic);
    const { startsAt } = week(1);
    const [fault] = expectProblem(
      await salon.api.post(`/${topic}/${one}/time-off`, { startsAt, endsAt: startsAt }),
      'invalid_body',
    );
    expect(fault?.pointer).toBe('/endsAt');
  });
});

test('a company that has no such owner has no time off of theirs', async () => {
  const one = await make(theirs.api, 'staff');
  await theirs.api.post(`/staff/${one}/time-off`, week(1));
  expectProblem(await salon.api.get(`/staff/${one}/time-off`), 'not_found');
  expectProblem(await salon.api.post(`/staff/${one}/time-off`, week(1)), 'not_found');
  expectProblem(await salon.api.post(`/staff/${one}/time-off`, { nonsense: 1 }), 'not_found');
});
