import { AppError } from '../../../src/core/errors.ts';
import type { Audience } from '../../../src/realtime/hub/audience.ts';
import type { Connection, Member } from '../../../src/realtime/hub/member.ts';

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
