import type { Announcement } from '../core/revision.ts';
import type { Admission } from './caller.ts';
import type { Ctx } from './ctx.ts';
import type { Deps, Work } from './deps.ts';
import { eraKey, incarnationOf } from './pulse.ts';
import type { Head } from './readings.ts';
import { tell } from './redis.ts';
import { type TagRow, tagsKey } from './tags.ts';

/** How long Redis keeps a company's tag state without a write or an initialisation, seconds. Losing it is safe. */
const STATE_TTL = 7 * 24 * 3600;

/** Above this many tags the state starts over: one company's cache is spared a hash that only grows. */
const MOST_TAGS = 4000;

/**
 * R3 as one atomic step; the Lua twin of `announce()` in core/revision.ts (a property test holds them equal).
 * The first line keeps the hosted Redis from locking the whole database while it runs; it may use KEYS alone then.
 * KEYS[1] state hash; ARGV epoch, first, last, now (s), ttl (s), most tags, fresh incarnation, then tag, revision …
 * Three commands, as those inside are counted too: the state and its tags are read at once, written at once, and given
 * another end once a day (`until`); `size` is kept so that nobody has to count. 500 tags at a time, however many an import
 * touched. Answers epoch, head, floor, incarnation and the present value of every tag named, so the writer's isolate is
 * fresh at once. State without an incarnation (of an earlier version) is as good as none, and so is a key of another type.
 * Shedding tags is no new life: the head is kept, and as the floor it speaks for every tag that was shed.
 */
const SCRIPT = `#!lua flags=allow-key-locking
local key, epoch, first, last = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])
local function read(start, names)
  for i = start, math.min(start + 999, #ARGV), 2 do names[#names + 1] = 't:' .. ARGV[i] end
  local found = redis.pcall('HMGET', key, unpack(names))
  if found.err then return {} end
  return found
end
local state = read(8, {'epoch', 'head', 'floor', 'incarnation', 'size', 'until'})
local known = state[1] and state[4]
if known and state[1] > epoch then return {state[1], state[2], state[3], state[4]} end
local head, floor, incarnation, size, ends
local afresh = not known or state[1] < epoch
if afresh then
  head, floor, incarnation, size = last, first - 1, ARGV[7], 0
else
  head, floor, incarnation = tonumber(state[2]), tonumber(state[3]), state[4]
  size, ends = tonumber(state[5]) or redis.call('HLEN', key), tonumber(state[6])
  if first > head + 1 and first - 1 > floor then floor = first - 1 end
  if last > head then head = last end
  if size > tonumber(ARGV[6]) then
    if head > floor then floor = head end
    afresh, size, ends = true, 0, nil
  end
end
if afresh then redis.call('DEL', key) end
local answer = {epoch, tostring(head), tostring(floor), incarnation}
local shift = 6
for start = 8, math.max(8, #ARGV), 1000 do
  local values = start == 8 and state or read(start, {})
  local changed = {}
  for i = start, math.min(start + 999, #ARGV), 2 do
    local value = not afresh and values[shift + (i - start) / 2 + 1]
    local newest, revision = tonumber(value or '0'), tonumber(ARGV[i + 1])
    if revision > newest then
      newest = revision
      if not value then size = size + 1 end
      changed[#changed + 1] = 't:' .. ARGV[i]
      changed[#changed + 1] = tostring(revision)
    end
    answer[#answer + 1] = tostring(newest)
  end
  shift = 0
  if start + 1000 > #ARGV then
    local renewed = not ends or now + ttl - ends > 86400
    if renewed then ends = now + ttl end
    redis.call('HSET', key, 'epoch', epoch, 'head', head, 'floor', floor, 'incarnation', incarnation, 'size', size,
      'until', ends, unpack(changed))
    if renewed then redis.call('EXPIRE', key, ttl) end
  elseif #changed > 0 then
    redis.call('HSET', key, unpack(changed))
  end
end
return answer
`;

/** What a write asks of Redis besides: its admission counts what it added to the rate limit. */
type Besides = Pick<Admission, 'ask' | 'learn'>;

/** Whose revisions are announced. */
type CompanyAnnouncement = Announcement & { companyId: string };

/**
 * Tells Redis which revisions exist and which tags they touched. Called after commit and awaited before the answer (R4).
 * @returns whether Redis took it; when not, the company's room announces later from the log
 */
export async function announceToRedis(
  { ctx, deps }: { ctx: Ctx; deps: Pick<Deps, 'redis' | 'tags'> },
  { companyId, ...a }: CompanyAnnouncement,
  besides?: Besides,
): Promise<boolean> {
  const { redis, tags: memory } = deps;
  const tags = Object.entries(a.tags);
  const at = ctx.now();
  const key = tagsKey(redis, companyId);
  // The script must stay deterministic, so the time and the name of a life it may begin come from here.
  const own = [a.epoch, a.first, a.last, Math.floor(at / 1000), STATE_TTL, MOST_TAGS, crypto.randomUUID()];
  const args = [...own, ...tags.flat()].map(String);
  const told = await redis.trip(
    ctx,
    (pipeline) => {
      pipeline.eval(SCRIPT, [key], args);
      pipeline.get(eraKey(redis));
      besides?.ask(pipeline, at);
    },
    ([answer, era, ...others]): { row: TagRow | null } => {
      besides?.learn(others, at);
      if (!Array.isArray(answer) || answer.length < 4) throw new Error('shape');
      return { row: rowOf(answer.map(String), era) };
    },
  );
  if (told === null) {
    // What this isolate remembers predates the write it has just made.
    memory.forget(companyId);
    // A full Redis still deletes, and a state that is lost is unknown to everybody, where this one would be believed.
    if (redis.fault === 'refuses') await tell(redis, ctx, (p) => p.del(key));
    return false;
  }
  const { row } = told;
  if (row?.values.length === tags.length)
    memory.learn(
      companyId,
      tags.map(([tag]) => tag),
      row,
      at,
    );
  return true;
}

/** Tells Redis that a snapshot at `revision` exists, where it knows nothing of the company: starts its tag state. */
export const announceSnapshot = (work: Work, companyId: string, { epoch, revision }: Head): Promise<boolean> =>
  announceToRedis(work, { companyId, epoch, first: revision + 1, last: revision, tags: {} });

function rowOf([epoch, head, floor, incarnation, ...values]: readonly string[], era: unknown): TagRow | null {
  if (typeof era !== 'string') return null;
  return {
    epoch: String(epoch),
    head: Number(head),
    floor: Number(floor),
    incarnation: incarnationOf(String(incarnation), era),
    values: values.map(Number),
  };
}
