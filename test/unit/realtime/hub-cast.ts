import { AppError } from '../../../src/core/errors.ts';
import type { LiveList } from '../../../src/data/live-list.ts';
import type { Audience } from '../../../src/realtime/hub/audience.ts';
import type { ReadLists } from '../../../src/realtime/hub/following.ts';
import type { Connection, Member } from '../../../src/realtime/hub/member.ts';
import type { LogPage } from '../../../src/realtime/hub/stream.ts';

/** A read of the log that is under way; `page` as of when it was looked at. */
export type Asked = {
  after: number;
  most: number;
  answer: (page: LogPage) => void;
  fail: (error: Error) => void;
  page: LogPage | null;
};
type Counts = Awaited<ReturnType<ReadLists>>;
/** A read of where the rows of lists stand; `counts` as of when it was looked at. */
export type Counting = {
  lists: readonly LiveList[];
  answer: (counts: Counts) => void;
  fail: (error: Error) => void;
  counts: Counts | null;
};

/** What each role of the world sees. */
const SEES: Record<string, readonly string[]> = { ALL: ['a', 'b', 'c'], SOME: ['a', 'b'], ONE: ['c'] };
export const ROLES = Object.keys(SEES);
export const TOPICS = ['a', 'b', 'c'];
export const sees = (role: string, topic: string): boolean => SEES[role]?.includes(topic) ?? false;

/** One topic per entity, its permission named like it. */
export const audience: Audience = {
  topics: new Map(TOPICS.map((topic) => [topic, topic])),
  may: (grant, permission) => 'role' in grant && sees(grant.role, permission),
  render: ({ revision, entity, after }) => ({
    revision,
    topic: entity,
    permission: entity,
    text: JSON.stringify({ revision, topic: entity, data: after }),
  }),
  grantAfter: () => null,
  purges: (change) => change.after?.erased === true,
  scope: ({ grant }) => JSON.stringify(grant),
  list: () => {
    throw new AppError('not_found');
  },
  tags: () => [],
};

/** A socket of the world, at which a reader listens. */
export class Socket implements Connection {
  member: Member;
  isOpen = true;
  /** What a hibernation keeps of the member. */
  kept: string;
  readonly heard: (frame: string) => void;
  readonly closed: (code: number) => void;

  constructor(member: Member, heard: (frame: string) => void, closed: (code: number) => void) {
    this.member = member;
    this.kept = JSON.stringify(member);
    this.heard = heard;
    this.closed = closed;
  }

  save(): void {
    this.kept = JSON.stringify(this.member);
  }

  send(text: string): void {
    if (this.isOpen) this.heard(text);
  }

  close(code = 1000): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closed(code);
  }
}
