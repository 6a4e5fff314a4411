import autocannon from 'autocannon';
import type { LoadOrder, LoadReport } from './load.ts';

/** Child of `load.ts`: one order after another until the parent lets go. */
process.on('message', (order: LoadOrder) => {
  run(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));

async function run({ url, headers, connections, seconds }: LoadOrder): Promise<LoadReport> {
  const result = await autocannon({ url, headers, connections, duration: seconds });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    bad: result.non2xx + result.errors + result.timeouts,
  };
}
