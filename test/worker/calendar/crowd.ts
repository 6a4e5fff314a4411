import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Api } from '../../support/api.ts';

/** What everybody of a crowd sends, each to one of these isolates in turn; answers come with how long they took, ms. */
export type Crowd = { urls: readonly string[]; token: string; bodies: readonly unknown[] };
export type Told = { status: number; code: string; ms: number };

if (process.send !== undefined && process.argv.includes('crowd')) {
  process.once('message', (crowd: Crowd) => {
    void Promise.all(crowd.bodies.map((body, n) => post(crowd, body, n))).then((told) => process.send?.(told));
  });
}

async function post({ urls, token }: Crowd, body: unknown, n: number): Promise<Told> {
  const began = performance.now();
  const answer = await fetch(`${urls[n % urls.length]}/api/v1/appointments`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { code = '' } = (await answer.json()) as { code?: string };
  return { status: answer.status, code, ms: performance.now() - began };
}

/** All at once, from a process of its own: the bridges of the test are in this one. */
export async function crowd(api: Api, urls: readonly string[], bodies: readonly unknown[]): Promise<Told[]> {
  const child = fork(fileURLToPath(import.meta.url), ['crowd']);
  try {
    return await new Promise((resolve, reject) => {
      child.once('message', (told) => resolve(told as Told[]));
      child.once('error', reject);
      child.send({ urls, token: api.token ?? '', bodies } satisfies Crowd);
    });
  } finally {
    child.kill();
  }
}

/** Statuses and codes, counted. */
export function counted(told: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of told)
    counts[`${status} ${code}`.trim()] = (counts[`${status} ${code}`.trim()] ?? 0) + 1;
  return counts;
}
