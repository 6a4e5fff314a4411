import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import { admit } from '../../data/admit.ts';
import { announceSnapshot } from '../../data/announce.ts';
import type { Loaded } from '../../data/answer.ts';
import { behind } from '../../data/ctx.ts';
import { snapshot } from '../../data/log.ts';
import type { AppContext } from '../../http/context.ts';
import { send } from '../../http/send.ts';
import { fixedHeaders } from '../../resources/cache-headers.ts';
import { TTL } from '../../resources/read.ts';
import { refuseParameters } from '../../resources/read-body.ts';
import { admissionOf, remember } from './admission.ts';
import { dayAt, eventOf, eventsQuery, feedQuery } from './events.ts';
import { calendarText } from './ics.ts';
import { type FeedClaim, parseFile } from './secret.ts';

/** Bumped when the text changes. */
const VERSION = 1;

/** The same for what is no secret, nobody's, an old one's and an archived owner's. */
const noSuch = (): AppError => new AppError('not_found', 'There is no such calendar.');

/** GET of a calendar by its secret address: nobody signs in, and the answer is cached and fresh as any other. */
export async function answerFeed(c: AppContext): Promise<Response> {
  const { ctx, deps } = c.env;
  refuseParameters(c);
  const claim = parseFile(c.req.param('file') ?? '');
  // Never the secret itself: in keys of the cache, in the ETag.
  const name = claim?.hash.toString('base64url').slice(0, 22) ?? null;
  const admission = admissionOf(c, name);
  if (claim === null || name === null) {
    await admit(c.env, admission);
    throw noSuch();
  }
  const { companyId } = claim;
  const answer = await deps.cache.read({
    ctx,
    plan: {
      companyId,
      key: deps.redis.key(companyId, VERSION, 'calendar', name),
      representation: name,
      tags: [`calendars/${claim.id}`, 'appointments', 'clients', 'staff', 'branches'],
      ttl: TTL.list,
      linked: false,
    },
    demand: { min: 0, ifNoneMatch: c.req.header('If-None-Match') ?? null, bypass: false },
    admission,
    origin: () => ({
      load: () => load(c, claim),
      confirm: () => snapshot(ctx, { database: deps.read, companyId, name: 'head' }, []),
      heal: (head) => announceSnapshot({ ctx: behind(ctx), deps }, companyId, head),
    }),
  });
  remember(name);
  return send(c, {
    status: answer.status,
    body: answer.body,
    fixed: fixedHeaders(answer, 'text/calendar; charset=utf-8'),
    headers: {
      ETag: answer.etag,
      Vary: 'Accept-Encoding',
      'Content-Disposition': 'inline; filename="calendar.ics"',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'X-Robots-Tag': 'noindex',
    },
    isPrivate: true,
  });
}

async function load(c: AppContext, claim: FeedClaim): Promise<Loaded> {
  const { ctx, deps } = c.env;
  const { today, until } = dayAt(ctx.now());
  const call = { database: deps.read, companyId: claim.companyId, name: 'calendar' };
  const taken = await snapshot(ctx, call, [feedQuery(claim), eventsQuery(claim, today)]).catch((error: unknown) => {
    // Of a company that nobody has.
    throw error instanceof AppError && error.code === 'unauthenticated' ? noSuch() : error;
  });
  const [[feed], events] = taken.rows;
  if (feed === undefined || !timingSafeEqual(Buffer.from(feed.hash, 'hex'), claim.hash) || !feed.is_active)
    throw noSuch();
  const body = calendarText(
    feed.name,
    events.map((row) => eventOf(row, feed.staff_id)),
  );
  return { epoch: taken.epoch, revision: taken.revision, body, link: null, validUntil: until };
}
