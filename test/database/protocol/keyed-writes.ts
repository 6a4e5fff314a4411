import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect } from 'vitest';
import { insertClient, type Written, write } from '../support.ts';

export type Answer = {
  status: number;
  revision: number;
  entityId: string | null;
  result: unknown;
  image: { schemaVersion: number; entity: string; row: Record<string, unknown> } | null;
};
export type Once = {
  client?: pg.Client;
  to?: string;
  actor?: string;
  route?: string;
  key?: string;
  /** The four bytes that name the secret of the fingerprint. */
  secret?: string;
  body?: string;
  id?: string;
  status?: number;
  entity?: string | null;
  result?: unknown;
  work?: (client: pg.Client) => Promise<unknown>;
};

/** Writes with a key, by this login to this company unless the order says otherwise. */
export function keyedWrites(where: () => { app: pg.Client; company: string }) {
  /** A write with a key, as the API makes it. By default it adds the client `id` and stores 201 for it. */
  async function once(order: Once = {}): Promise<{ written: Written } | { replay: Answer }> {
    const {
      client = where().app,
      to = where().company,
      actor = 'USER:1',
      route = '/clients',
      key = 'k',
      secret = 'abcd',
      body = 'b',
      status = 201,
    } = order;
    const { id = randomUUID(), entity = id, result = null } = order;
    const work = order.work ?? (() => client.query(insertClient, [to, id, 'Ann']));
    const claimed = async (): Promise<void> => {
      await client.query('select app.claim_key($1, $2, $3)', [route, key, Buffer.from(`${secret}${body}`)]);
      await work(client);
      const kept = [route, key, status, entity, JSON.stringify(result)];
      await client.query('select app.store_answer($1, $2, $3, $4, $5)', kept);
    };
    try {
      return { written: await write(client, to, claimed, { actor }) };
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== 'CP200') throw error;
      // Postgres writes a detail to its log, and the answer holds a row.
      expect([error.detail, error.hint]).toEqual([undefined, undefined]);
      return { replay: JSON.parse(error.column ?? '') as Answer };
    }
  }
  const replayOf = async (order: Once = {}): Promise<Answer> => {
    const answer = await once(order);
    if ('written' in answer) throw new Error('written, not replayed');
    return answer.replay;
  };
  const isWritten = async (order: Once): Promise<boolean> => 'written' in (await once(order));
  return { once, replayOf, isWritten };
}
