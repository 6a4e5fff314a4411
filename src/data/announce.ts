import type { Announcement } from '../core/revision.ts';
import type { Admission } from './admission.ts';
import type { Ctx } from './context.ts';
import type { RedisDoor } from './redis.ts';
import { type TagMemory, type TagRow, tagsKey } from './tags.ts';

/** How long Redis keeps a company's tag state without a write or an initialisation, seconds. Losing it is safe. */
const STATE_TTL = 7 * 24 * 3600;

/** Above this many tags the state starts over: one company's cache is spared a hash that only grows. */
const MOST_TAGS = 4000;

/**
 * R3 as one atomic step; the Lua twin of `announce()` in core/revision.ts (a property test holds them equal).
 * KEYS[1] state hash; ARGV epoch, first, last, ttl, most tags, fresh incarnation, then tag, revision … The tags go in two
 * calls per 500, however many a bulk or an import touched.
 * Answers epoch, head, floor, incarnation and the present value of every tag named, so the writer's isolate is fresh at
 * once. State without an incarnation (of an earlier version) is as good as none. Shedding tags is no new life: the head
 * is kept, and as the floor it speaks for every tag that was shed.
 */
const SCRIPT = `
local state = redis.call('HMGET', KEYS[1], 'epoch', 'head', 'floor', 'incarnation')
local epoch, first, last = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local known = state[1] and state[4]
if known and state[1] > epoch then return state end
local head, floor, incarnation
if not known or state[1] < epoch then
  redis.call('DEL', KEYS[1])
  head, floor, incarnation = last, first - 1, ARGV[6]
else
  head, floor, incarnation = tonumber(state[2]), tonumber(state[3]), state[4]
  if first > head + 1 and first - 1 > floor then floor = first - 1 end
  if last > head then head = last end
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[5]) then
  redis.call('DEL', KEYS[1])
  if head > floor then floor = head end
end
redis.call('HSET', KEYS[1], 'epoch', epoch, 'head', head, 'floor', floor, 'incarnation', incarnation)
local answer = {epoch, tostring(head), tostring(floor), incarnation}
for start = 7, #ARGV, 1000 do
  local fields, changed = {}, {}
  for i = start, math.min(start + 999, #ARGV), 2 do fields[#fields + 1] = 't:' .. ARGV[i] end
  local values = redis.call('HMGET', KEYS[1], unpack(fields))
  for n, field in ipairs(fields) do
    local newest, revision = tonumber(values[n] or '0'), tonumber(ARGV[start + 2 * n - 1])
    if revision > newest then
      newest = revision
      changed[#changed + 1] = field
      changed[#changed + 1] = tostring(revision)
    end
    answer[#answer + 1] = tostring(newest)
  end
  if #changed > 0 then redis.call('HSET', KEYS[1], unpack(changed)) end
end
redis.call('EXPIRE', KEYS[1], tonumber(ARGV[4]))
return answer
`;

/** What else goes along on the trip: the requests that writes add to the rate limit. */
export type Rider = Pick<Admission, 'ask' | 'learn'>;

/**
 * Tells Redis which revisions exist and which tags they touched. Called after commit and awaited before the answer (R4).
 * @returns whether Redis took it; when not, the company's room announces later from the log
 */
export async function announceToRedis(
  ctx: Ctx,
  redis: RedisDoor,
  memory: TagMemory,
  environment: string,
  companyId: string,
  a: Announcement,
  rider?: Rider,
): Promise<boolean> {
  const tags = Object.entries(a.tags);
  // The script must stay deterministic, so the name of a life it may begin comes from here.
  const incarnation = crypto.randomUUID();
  const args = [a.epoch, a.first, a.last, STATE_TTL, MOST_TAGS, incarnation, ...tags.flat()].map(String);
  const at = ctx.now();
  const row = await redis.trip(
    ctx,
    (pipeline) => {
      pipeline.eval(SCRIPT, [tagsKey(environment, companyId)], args);
      rider?.ask(pipeline, at);
    },
    ([answer, ...others]): TagRow => {
      rider?.learn(others, at);
      if (!Array.isArray(answer) || answer.length < 4) throw new Error('shape');
      return {
        epoch: String(answer[0]),
        head: Number(answer[1]),
        floor: Number(answer[2]),
        incarnation: String(answer[3]),
        values: answer.slice(4).map(Number),
      };
    },
  );
  if (row === null) {
    // What this isolate remembers predates the write it has just made.
    memory.forget(companyId);
    return false;
  }
  if (row.values.length === tags.length)
    memory.learn(
      companyId,
      tags.map(([tag]) => tag),
      row,
      at,
    );
  return true;
}
