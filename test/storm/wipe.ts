/** Deletes everything this environment keeps in Redis, in one atomic step: as far as it is concerned, Redis was lost. */
const SCRIPT = `
local gone = 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do gone = gone + redis.call('DEL', key) end
return gone`;

export async function wipeRedis(vars: Record<string, string>): Promise<void> {
  const answer = await fetch(`${vars.UPSTASH_REDIS_REST_URL}/`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${vars.UPSTASH_REDIS_REST_TOKEN}` },
    body: JSON.stringify(['EVAL', SCRIPT, '0', `v1:${vars.ENVIRONMENT ?? 'main'}:*`]),
  });
  const { result } = (await answer.json()) as { result?: unknown };
  if (typeof result !== 'number') throw new Error(`Redis could not be wiped: ${answer.status}`);
}
