import { Agent, request } from 'node:http';

/** A request exactly as it goes onto the wire: nothing is normalised, as `fetch` would. */
export type Wire = { method: string; path: string; headers: Record<string, string>; body: Buffer | null };
export type Answer = { status: number; headers: Headers; text: string };

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** Sends a request as it is. A server that answers before it has read all may close: what it answered counts. */
export function send(url: string, { method, path, headers, body }: Wire): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answered = false;
    const sent = request({ agent, hostname, port, method, path, headers }, (answer) => {
      answered = true;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const own = new Headers();
        for (const [name, value] of Object.entries(answer.headers)) own.set(name, String(value));
        resolve({ status: answer.statusCode ?? 0, headers: own, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.on('error', (error) => {
      if (!answered) reject(error);
    });
    sent.end(body ?? undefined);
  });
}

export const hangUp = (): void => agent.destroy();
