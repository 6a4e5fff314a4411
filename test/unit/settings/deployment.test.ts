import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';

// What `npm run deploy` sends, as wrangler reads it.
const config = unstable_readConfig({ config: join(import.meta.dirname, '..', '..', '..', 'wrangler.toml') });

test('the platform logs no line of its own per request: it would hold the query parameters', () => {
  expect(config.observability).toMatchObject({ enabled: true, logs: { enabled: true, invocation_logs: false } });
});

test('there is no address but those of the operator', () => {
  expect([config.workers_dev, config.preview_urls]).toEqual([false, false]);
});
