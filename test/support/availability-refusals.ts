import type { Refusal } from './fixtures/fixture.ts';

/** What free starts are refused for by whom and what they are asked of. Their fixture holds these under `refusals`. */
export const availabilityRefusals: Record<string, Refusal> = {
  async 'GET /availability unknown_reference'(kit) {
    const { path } = await kit.aim();
    return kit.tenant.api.get(path.replace(/brch_[0-9a-z]{26}/, 'brch_01h455vb4pex5vsknk084sn02q'));
  },
  async 'GET /availability not_offered'(kit) {
    const { path } = await kit.aim();
    const nobody = await kit.tenant.api.post('/staff', { firstName: 'Offers nothing' });
    return kit.tenant.api.get(`${path}&staffId=${nobody.json.id}`);
  },
};
