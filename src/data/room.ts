import type { Ctx } from './context.ts';

/** What a write tells its company's room (a Durable Object), which is the company's relay. */
export type RoomApi = {
  /** Arms the alarm: a write with this id may commit soon. */
  expect(companyId: string, requestId: string): Promise<void>;
  /** The write committed and Redis knows `first..last`. Clears the expectation. */
  publish(companyId: string, requestId: string, range: { epoch: string; first: number; last: number }): Promise<void>;
  /** The write ended without a change. Clears the expectation. */
  settle(companyId: string, requestId: string): Promise<void>;
  /** Announces whatever the log holds beyond what the room has announced; true when all of it is. */
  catchUp(companyId: string): Promise<boolean>;
};

export type RoomDoor = (companyId: string) => RoomApi;

const ATTEMPTS = 3;

/** Calls a room, retrying only what the platform says is worth it. Counts one trip per call. */
export async function callRoom<T>(ctx: Ctx, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      ctx.trips.room += 1;
      return await call();
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean };
      if (attempt === ATTEMPTS || retryable !== true || overloaded === true) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt));
    }
  }
}
