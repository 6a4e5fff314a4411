import { expect, test } from 'vitest';
import { Api } from '../../support/api.ts';
import { newCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';
import { inOneMinute } from '../../support/until.ts';

const world = await sharedWorld();

// Writes go at the pace of so small a limit: a try takes some 25 s, and one that meets the end of a minute is made again.
test('two isolates share the limit of a company that writes', async () => {
  const settings = { RATE_LIMIT_PER_MINUTE: '12', CACHE_MAX_STALENESS_MS: '0' };
  const isolates = [await world.another(settings), await world.another(settings)];
  await inOneMinute(async () => {
    const tenant = await newCompany({ ...world, api: new Api(String(isolates[0]?.url)) });
    let allowed = 0;
    for (let i = 0; i < 20; i += 1) {
      const reply = await tenant.api.at(String(isolates[i % 2]?.url)).post('/clients', { firstName: 'A' });
      if (reply.status !== 429) allowed += 1;
    }
    expect(allowed).toBeLessThanOrEqual(14);
    expect(allowed).toBeGreaterThanOrEqual(12);
  });
});
