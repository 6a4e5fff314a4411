import type { Json } from './api.ts';
import type { Refusal } from './fixtures.ts';

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
