import { expect, test } from 'vitest';
import { parseReport } from '../../../src/insight/analytics/query.ts';

test('without days a report is of 31, until the next day of UTC begins', () => {
  const nothing = new URLSearchParams();
  const evening = Date.parse('2026-11-30T23:59:59.999Z');
  const report = parseReport(['day'], nothing, evening);
  expect(report).toMatchObject({ from: '2026-11-01', to: '2026-12-02', until: evening + 1 });
  expect(parseReport(['day'], nothing, evening + 1)).toMatchObject({ from: '2026-11-02', to: '2026-12-03' });
  const said = new URLSearchParams({ from: '2026-01-01', to: '2026-01-02' });
  expect(parseReport(['day'], said, evening).until).toBeUndefined();
});
