import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { passed, summary } from '../../storm/report.ts';
import { FULL, storm } from '../../storm/storm.ts';
import { openStack } from '../../support/world.ts';

test('a small storm: kills between commit and announcement, a wiped Redis, every answer compared', async () => {
  const database = await openStack();
  const dir = await mkdtemp(join(tmpdir(), 'clientsplus-storm-'));
  try {
    const { neon, vars, adminUrl } = database;
    const plan = { ...FULL, writes: 300, reads: 1500, kills: 3, wipes: 1, readers: 24 };
    const outcome = await storm({ neon, vars, adminUrl, bundle: inject('bundle'), dir }, plan);
    expect(passed(outcome), summary(outcome)).toBe(true);
  } finally {
    await database.close();
    await rm(dir, { recursive: true, force: true });
  }
});
