import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { instant, type Schema } from '../../http/schemas.ts';

/** An entity whose changes are logged, as the log's readers show it. `actions` are the last parts of its event types. */
export type Logged = { entity: string; topic: string; actions: readonly string[]; view: Schema };

const actor = lazy(() =>
  z
    .object({
      type: z.enum(['USER', 'API_KEY', 'SYSTEM', 'SQL']),
      id: z.string().optional().describe('The user or the key.'),
    })
    .meta({
      id: 'Actor',
      description: 'Who did it.',
      examples: [{ type: 'USER', id: 'usr_01h455vb4pex5vsknk084sn02q' }],
    }),
);

const ENTITY = lazy(() =>
  z.string().meta({ description: 'Its public id.', examples: ['clnt_01h455vb4pex5vsknk084sn02q'] }),
);
const REVISION = lazy(() => z.int().meta({ description: 'Its place in the log.', examples: [42] }));

/** `api-key` with `Event` is `ApiKeyEvent`. */
const nameOf = (entity: string, end: string): string =>
  `${entity.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}${end}`;

const typesOf = ({ entity, actions }: Logged) => z.enum(actions.map((action) => `${entity}.${action}`));

const eventOf = (entity: Logged) =>
  z
    .object({
      revision: REVISION(),
      id: z.string().meta({ description: 'Unique in the company.', examples: ['evt_42'] }),
      type: typesOf(entity),
      topic: z.literal(entity.topic),
      entityId: ENTITY(),
      at: instant('When it happened.'),
      actor: actor(),
      data: entity.view().nullable().describe('What GET of the object answers at this revision.'),
    })
    .meta({ id: nameOf(entity.entity, 'Event') });

const auditOf = (entity: Logged) =>
  z
    .object({
      revision: REVISION(),
      at: instant('When it happened.'),
      actor: actor(),
      requestId: z
        .string()
        .nullable()
        .meta({ description: 'The request that did it.', examples: ['req_01h455vb4pex5vsknk084sn02q'] }),
      entityId: ENTITY(),
      action: typesOf(entity).describe('As the type of the event.'),
      before: entity.view().nullable().describe('Null: it was created.'),
      after: entity.view().nullable().describe('Null: it was deleted.'),
    })
    .meta({ id: nameOf(entity.entity, 'AuditEntry') });

/** One of a kind of object per logged entity, told apart by a member. */
function oneOf<S extends z.ZodObject>(member: string, options: readonly S[], id: string) {
  const [first, ...others] = options;
  if (first === undefined) throw new Error('nothing is logged');
  return z.discriminatedUnion(member, [first, ...others]).meta({ id });
}

const pageOf = <S extends z.ZodType>(item: S, id: string) =>
  z
    .object({
      data: z.array(item),
      head: z.int().meta({ description: 'The newest revision.', examples: [42] }),
      epoch: z
        .string()
        .meta({ description: 'Names the history; see `epoch`.', examples: ['01890a5d-ac96-774b-bcce-b302099a8057'] }),
    })
    .meta({ id });

export const eventPage = (logged: readonly Logged[]) =>
  lazy(() => pageOf(oneOf('type', logged.map(eventOf), 'Event'), 'EventPage'));

export const auditPage = (logged: readonly Logged[]) =>
  lazy(() => pageOf(oneOf('action', logged.map(auditOf), 'AuditEntry'), 'AuditPage'));
