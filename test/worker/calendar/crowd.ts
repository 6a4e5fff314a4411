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

/** Somebody who reads, one call at a time, while others do what they do; every second time from Postgres. */
export type Bystander = { url: string; token: string; path: string; pause: number };

/** @returns how long each took, ms */
async function stroll({ url, token, path, pause }: Bystander, isOver: () => boolean): Promise<number[]> {
  const took: number[] = [];
  while (!isOver()) {
    const fresh = took.length % 2 === 0 ? { 'Cache-Control': 'no-cache' } : {};
    const began = performance.now();
    const answer = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}`, ...fresh } });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`a bystander was answered ${answer.status}`);
    took.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return took;
}

/** Sends a bystander of a process of their own, until `meanwhile` is over. */
export async function bystander<T>(order: Bystander, meanwhile: () => Promise<T>): Promise<[took: number[], done: T]> {
  const child = fork(fileURLToPath(import.meta.url), ['bystander']);
  try {
    const took = new Promise<number[]>((resolve, reject) => {
      child.once('message', (told) => resolve(told as number[]));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the bystander ended with ${code}`)));
    });
    child.send(order);
    const done = await meanwhile();
    child.send('stop');
    return [await took, done];
  } finally {
    child.kill();
  }
}

if (process.send !== undefined && process.argv.includes('bystander')) {
  let isOver = false;
  process.on('message', (told: Bystander | 'stop') => {
    if (told === 'stop') isOver = true;
    else void stroll(told, () => isOver).then((took) => process.send?.(took));
  });
}

/** Statuses and codes, counted. */
export function counted(told: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of told)
    counts[`${status} ${code}`.trim()] = (counts[`${status} ${code}`.trim()] ?? 0) + 1;
  return counts;
}
