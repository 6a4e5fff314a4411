import type { Grant, Listener } from '../../core/ticket.ts';
import type { LiveList } from '../../data/live-list.ts';
import type { Change } from '../../data/log.ts';
import type { Message } from './frames.ts';
import type { Member } from './member.ts';

/** What a room knows of its company's entities and people; made from the registry, so that rooms know no context. */
export type Audience = {
  /** Every topic, with the permission that shows it. */
  topics: ReadonlyMap<string, string>;
  may(grant: Grant, permission: string): boolean;
  /** A change as it is sent; null for what this version does not know. */
  render(change: Change): Message | null;
  /** Whose grant a change changes, and to what: null when they may listen no more. Null when it changes nobody's. */
  grantAfter(change: Change): { actor: string; grant: Grant | null } | null;
  purges(change: Change): boolean;
  /** The list behind a GET path, as this listener would be answered. @throws AppError as GET refuses it */
  list(listener: Listener, path: string): LiveList;
  /** Listeners of one scope are answered the same lists. */
  scope(listener: Listener): string;
  /** What a change touches; a list that rests on none of it stays as it is. */
  tags(change: Change): readonly string[];
};

/** Those of the wanted topics, or of all, that this grant shows; in their fixed order. */
export const topicsFor = (audience: Audience, grant: Grant, wanted: readonly string[] | null): string[] =>
  [...audience.topics]
    .filter(([topic, permission]) => (wanted?.includes(topic) ?? true) && audience.may(grant, permission))
    .map(([topic]) => topic);

/** Whether this member is shown a message: it listens to the topic, and may still see what it did when it subscribed. */
export const isFor = (audience: Audience, member: Member, message: Message): boolean =>
  (member.topics?.includes(message.topic) ?? false) && audience.may(member.grant, message.permission);

/** Members of one signature are sent the same. */
export const signatureOf = ({ topics, grant }: Member): string => JSON.stringify([topics, grant]);
