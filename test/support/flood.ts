import { Worker } from 'node:worker_threads';

/** One request, again and again; of several bodies the loops take one each. */
export type Flood = {
  url: string;
  loops: number;
  method: string;
  path: string;
  headers?: Record<string, string>;
  bodies?: string[];
};

const LOOPS = `
const { workerData: { url, loops, method, path, headers, bodies } } = require('node:worker_threads');
const ask = async (body) => {
  for (;;) {
    try {
      const answer = await fetch(url + '/api/v1' + path, { method, headers, body });
      await answer.arrayBuffer();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
};
for (let i = 0; i < loops; i += 1) ask(bodies === undefined ? undefined : Buffer.from(bodies[i % bodies.length]));
`;

/** Sends from a thread of its own, so that whoever measures beside it is not held up by it. @returns how to end it */
export function flood(what: Flood): () => Promise<unknown> {
  const thread = new Worker(LOOPS, { eval: true, workerData: what });
  return () => thread.terminate();
}

const UNREAD = `
const { workerData: { url, loops, method, path, headers } } = require('node:worker_threads');
const { connect } = require('node:net');
const { hostname, port, host } = new URL(url);
const lines = Object.entries({ host, ...headers }).map(([name, value]) => name + ': ' + value).join('\\r\\n');
const ask = () => {
  // Nothing takes what comes: it stays where it was made once the connection is full.
  const socket = connect(Number(port), hostname, () => socket.write(method + ' /api/v1' + path + ' HTTP/1.1\\r\\n' + lines + '\\r\\n\\r\\n'));
  socket.on('error', () => undefined);
  socket.on('close', () => setTimeout(ask, 10));
};
for (let i = 0; i < loops; i += 1) ask();
`;

/** Asks and never reads, over as many connections. @returns how to end it */
export function unread(what: Flood): () => Promise<unknown> {
  const thread = new Worker(UNREAD, { eval: true, workerData: what });
  return () => thread.terminate();
}
