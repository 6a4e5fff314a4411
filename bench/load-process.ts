import autocannon from 'autocannon';
import type { LoadOrder, LoadReport } from './load.ts';
import { obey } from './obey.ts';

obey(run);

async function run({ url, headers, connections, seconds, perSecond, requests }: LoadOrder): Promise<LoadReport> {
  const result = await autocannon({
    ...{ url, headers, connections, duration: seconds },
    ...(perSecond !== undefined && { overallRate: perSecond }),
    ...(requests !== undefined && { requests: [...requests], idReplacement: true }),
  });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    bad: result.non2xx + result.errors + result.timeouts,
  };
}
