import { afterAll, expect, test } from 'vitest';
import type { Reply } from '../../support/api.ts';

/** An attack of the security review: what came of it before, and what must now. */
export type Attack = {
  name: string;
  attack: string;
  before: string;
  run: () => Promise<{ after: string; held: boolean }>;
};

export const from = (address: string) => ({ headers: { 'CF-Connecting-IP': address } });

/** How often each status came. */
export function tally(replies: readonly Reply[]): string {
  const counts = new Map<number, number>();
  for (const { status } of replies) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, times]) => `${times} × ${status}`).join(', ');
}

/** Tries each of them, and prints the table of what came of it. */
export function tryAll(attacks: readonly Attack[]): void {
  const rows: Record<string, string>[] = [];
  afterAll(() => console.table(rows));
  test.each(attacks.map((each) => [each.name, each] as const))('%s', async (_name, { name, attack, before, run }) => {
    const { after, held } = await run();
    rows.push({ finding: name, attack, before, after });
    expect(held, after).toBe(true);
  });
}
