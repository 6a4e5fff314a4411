import type { Api } from '../api.ts';

export type Method = 'get' | 'post' | 'patch' | 'delete';

/** The paths that take this method. */
export type PathOf<M extends Method> = { [P in keyof Api]: M extends keyof Api[P] ? P : never }[keyof Api];

type Operation<M, P> = P extends keyof Api ? (M extends keyof Api[P] ? Api[P][M] : never) : never;

/** What goes with any request. */
export type Ways = {
  signal?: AbortSignal;
  /** For one try, ms; by default 30,000. */
  timeout?: number;
  /** The version it must still have. */
  ifMatch?: number;
  /** Computed at this revision or a later one; what this client has seen counts by itself. */
  minRevision?: number;
  /** Instead of one made for it. */
  idempotencyKey?: string;
  /** Of a body that is no JSON. */
  contentType?: string;
  /** How often it may be sent again; by default 4. */
  repeats?: number;
};

/** A member that is absent where it would be empty, and optional where all of it is. */
type Given<Name extends string, T> = keyof T extends never
  ? unknown
  : Record<never, never> extends T
    ? { [K in Name]?: T }
    : { [K in Name]: T };

type Body<O> = O extends { body: infer B } ? { body: B } : O extends { body?: infer B } ? { body?: B } : unknown;

/** What a request takes besides its path. */
export type Asked<M extends Method, P> =
  Operation<M, P> extends infer O extends { path: object; query: object }
    ? Given<'path', O['path']> & Given<'query', O['query']> & Body<O> & Ways
    : never;

/** Not to be given where nothing has to be. */
export type Rest<A, Actual extends A> = Record<never, never> extends A ? [asked?: Actual] : [asked: Actual];

/** What it answers: whole, unless `fields` says what of it. */
export type AnswerTo<M extends Method, P, A> =
  Operation<M, P> extends infer O extends { answer: unknown }
    ? O extends { short: infer S }
      ? A extends { query: { fields: string } }
        ? S
        : O['answer']
      : O['answer']
    : never;

/** The lists that are walked by a cursor, and what each of their rows is. */
export type ListPath = {
  [P in PathOf<'get'>]: Operation<'get', P> extends { query: { cursor?: string }; answer: { data: unknown[] } }
    ? P
    : never;
}[PathOf<'get'>];
export type RowOf<P, A = object> = AnswerTo<'get', P, A> extends { data: (infer R)[] } ? R : never;

/** An answer with what stood around it. */
export type Answer<T> = { status: number; body: T; revision: number | null; headers: Headers };
