import { encodeCursor } from '../../src/core/cursor.ts';
import { openCompany } from './company.ts';
import type { Refusal } from './fixtures/fixture.ts';
import { uuidOf } from './people.ts';

export const webhookRefusals: Record<string, Refusal> = {
  async 'POST /webhooks/:id/replay revision_ahead'({ tenant, aim, fire }) {
    return fire(tenant.api, { ...(await aim()), body: { after: 10_000_000 } });
  },
  async 'POST /webhooks/:id/replay window_exceeded'({ world }) {
    const { api, companyId } = await openCompany(world);
    const { json } = await api.post('/webhooks', { url: 'http://127.0.0.1:9/', types: ['webhook.deleted'] });
    await world.sql('delete from changes where company_id = $1 and revision <= 2', [uuidOf('comp', companyId)]);
    return api.post(`/webhooks/${json.id}/replay`, { after: 1 });
  },
  async 'GET /webhooks/:id/deliveries cursor_mismatch'({ world, tenant, aim }) {
    const { id } = await aim();
    const uuid = uuidOf('whk', String(id));
    const cursor = encodeCursor(String(world.vars.CURSOR_SECRET), {
      ...{ company: uuidOf('comp', tenant.companyId), route: `webhooks.deliveries ${uuid}`, query: 'DEAD' },
      ...{ values: [1], id: uuid, direction: 'next' },
    });
    return tenant.api.get(`/webhooks/${id}/deliveries?cursor=${encodeURIComponent(cursor)}`);
  },
};
