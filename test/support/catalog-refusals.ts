import type { Json } from './api.ts';
import { openSalon } from './calendar-refusals.ts';
import { openCompany } from './company.ts';
import { type Refusal, unique } from './fixtures/fixture.ts';
import { uuidOf } from './people.ts';

// What routes of the catalogue are refused for by what they refer to. Fixtures hold these under `refusals`.

/** The usual request, with these members in its body, or in that of its items. */
const saying =
  (more: Json): Refusal =>
  async (kit) => {
    const shot = await kit.aim();
    const items = (shot.body as { items?: Json[] } | undefined)?.items?.map((item) => ({ ...item, ...more }));
    return kit.fire(kit.tenant.api, {
      ...shot,
      body: items === undefined ? { ...shot.body, ...more } : { mode: 'atomic', items },
    });
  };

/** Of all routes that write bodies of the resource. */
const onEach = (topic: string, code: string, refusal: Refusal): Record<string, Refusal> =>
  Object.fromEntries(
    [`POST /${topic}`, `POST /${topic}/bulk`, `PATCH /${topic}/:id`].map((name) => [`${name} ${code}`, refusal]),
  );

/** An account that another staff member has. */
const takenAccount: Refusal = async (kit, route) => {
  const userId = kit.tenant.userId;
  // The first time it is free; afterwards whoever has it keeps it.
  await kit.tenant.api.post('/staff', { firstName: 'Anna', userId });
  return saying({ userId })(kit, route);
};

const nobody = '01h455vb4pex5vsknk084sn02q';

export const branchRefusals: Record<string, Refusal> = {
  // Too much is booked there for another clock to tell it.
  async 'PATCH /branches/:id conflict'({ world, fire }) {
    const { api, companyId } = await openCompany(world);
    const { branchId, staffId, serviceId } = await openSalon(api);
    const part = { serviceId: uuidOf('svc', serviceId), staffId: uuidOf('stf', staffId), name: 'Cut' };
    const more = { startOffsetMinutes: 0, durationMinutes: 30, bufferBeforeMinutes: 0, bufferAfterMinutes: 0 };
    const services = JSON.stringify([{ ...part, ...more, processing: [], price: null, taxes: [] }]);
    await world.sql(`begin; set local session_replication_role = replica;
      insert into appointments (company_id, id, branch_id, services, starts_at, ends_at, time_zone, local_date, local_start, status_history)
      select '${uuidOf('comp', companyId)}', uuidv7(), '${uuidOf('brch', branchId)}', '${services}', at, at, 'UTC', at::date, at::time, '[{"status": "PENDING"}]'
      from generate_series(1, 3001) n, lateral (select now() + n * interval '1 hour' as at) x; commit`);
    return fire(api, { method: 'PATCH', path: `/branches/${branchId}`, body: { timeZone: 'UTC' }, id: branchId });
  },
};

export const staffRefusals: Record<string, Refusal> = {
  ...onEach('staff', 'unknown_reference', saying({ branchIds: [`brch_${nobody}`] })),
  ...onEach('staff', 'conflict', takenAccount),
};

export const serviceRefusals = onEach(
  'services',
  'unknown_reference',
  saying({ staff: [{ staffId: `stf_${nobody}` }] }),
);

export const resourceRefusals = onEach('resources', 'unknown_reference', saying({ branchId: `brch_${nobody}` }));

/** Of the time off of one staff member or resource. */
export function timeOffRefusals(topic: string): Record<string, Refusal> {
  const path = `/${topic}/:id/time-off`;
  return {
    // Upwards, where the usual way is down.
    async [`GET ${path} cursor_mismatch`](kit) {
      const { path: list } = await kit.aim();
      const body = { startsAt: '2027-01-01T00:00:00Z', endsAt: '2027-01-02T00:00:00Z' };
      for (let n = 0; n < 2; n += 1) await kit.tenant.api.post(list, body);
      const { pagination } = (await kit.tenant.api.get(`${list}?limit=1`)).json as { pagination: Json };
      const cursor = encodeURIComponent(String(pagination.nextCursor));
      return kit.tenant.api.get(`${list}?sort=startsAt&cursor=${cursor}`);
    },
    async [`POST ${path} external_id_taken`](kit) {
      const shot = await kit.aim();
      const taken = { ...shot, body: { ...shot.body, externalId: `taken-${unique()}` } };
      await kit.fire(kit.tenant.api, taken);
      return kit.fire(kit.tenant.api, taken);
    },
  };
}
