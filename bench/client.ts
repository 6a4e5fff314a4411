import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** One answer and how long it took from the moment it was due, ms. */
export type Timed = { status: number; headers: IncomingHttpHeaders; text: string; ms: number };

export type Call = { method?: string; path: string; headers?: Record<string, string>; body?: string };

/** A caller on kept-alive connections, one unless told otherwise. */
export class Client {
  readonly #agent: Agent;
  readonly #origin: string;

  constructor(origin: string, connections: number = 1) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#origin = origin;
  }

  ask({ method = 'GET', path, headers = {}, body }: Call): Promise<Timed> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#origin}${path}`, { method, agent: this.#agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const ms = performance.now() - started;
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, ms });
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }

  /**
   * Open loop: the calls start at fixed intervals, whatever became of the one before. The interval is wide enough that
   * they do not meet; one that is late all the same counts from when it was due.
   */
  async series(calls: readonly Call[], everyMs: number): Promise<Timed[]> {
    const started = performance.now();
    const answers: Promise<Timed>[] = [];
    for (const [index, call] of calls.entries()) {
      const due = started + index * everyMs;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      // A timer wakes up to 1 ms late by itself; only what is later is the machine's delay.
      const late = Math.max(0, performance.now() - due - 2);
      answers.push(this.ask(call).then((answer) => ({ ...answer, ms: answer.ms + late })));
    }
    return Promise.all(answers);
  }

  close(): void {
    this.#agent.destroy();
  }
}
