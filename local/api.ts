/** An answer of the API, read whole. */
export type Answer = {
  status: number;
  revision: number;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
};

export type Asked = {
  /** An object for JSON. */
  body?: unknown;
  /** A file in its place. */
  file?: { type: string; text: string };
  headers?: Readonly<Record<string, string>>;
};

/** Asks the API, below `/api/v1`. */
export type Ask = (method: string, path: string, asked?: Asked) => Promise<Answer>;

/** Told to come later so often, or so much later, it is for people to decide. */
const MOST_TRIES = 20;
const LONGEST_WAIT_S = 60;

/** A caller of the public API who comes again when told to. @param token a session's or a key's */
export function callerOf(url: string, token: string | null): Ask {
  return async (method, path, { body, file, headers = {} } = {}) => {
    const type = file?.type ?? (body === undefined ? null : 'application/json');
    const init = {
      method,
      headers: {
        ...(token !== null && { Authorization: `Bearer ${token}` }),
        ...(type !== null && { 'Content-Type': type }),
        ...headers,
      },
      ...(type !== null && { body: file?.text ?? JSON.stringify(body) }),
    };
    for (let tries = 1; ; tries += 1) {
      const answer = await fetch(new URL(`/api/v1${path}`, url), init);
      const text = await answer.text();
      const wait = Number(answer.headers.get('retry-after') ?? 1);
      if ((answer.status === 429 || answer.status === 503) && tries < MOST_TRIES && wait <= LONGEST_WAIT_S) {
        await new Promise((resolve) => setTimeout(resolve, wait * 1000));
        continue;
      }
      const { status, headers: told } = answer;
      const json = (/[/+]json/.test(told.get('content-type') ?? '') ? JSON.parse(text) : {}) as Record<string, unknown>;
      return { status, revision: Number(told.get('revision')), headers: told, text, json };
    }
  };
}

/** The answer, unless it is a refusal. @param what was asked for, for the error */
export function accepted(answer: Answer, what: string): Answer {
  if (answer.status < 300) return answer;
  const { code = '', detail = '' } = answer.json;
  throw new Error(`${what}: ${answer.status} ${String(code)} ${String(detail)}`.trim());
}
