import { zValidator } from '@hono/zod-validator';
import type { Context, MiddlewareHandler } from 'hono';
import type * as z from 'zod';
import { AppError } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import { invalidBody, validate } from './body.ts';
import type { AppContext, AppEnv } from './context.ts';
import { oddMembers } from './odd-members.ts';
import type { Schema } from './schemas.ts';

type Body<T> = { in: { json: unknown }; out: { json: T } };

const proceed = async (): Promise<void> => undefined;

/**
 * A body as `schema` describes it, by Hono's validator. It is called where the order of checks has come to 422, not as a
 * middleware: what it reads was read before, bounded and parsed once.
 * @throws AppError empty_body, or invalid_body naming the faults by JSON pointer
 */
export function bodyValidator<T>(schema: Schema<z.ZodType<T>>): (c: AppContext, value: unknown) => Promise<T> {
  const checker = lazy(
    (): MiddlewareHandler<AppEnv, string, Body<T>, Response> =>
      zValidator('json', schema(), (result) => {
        if (!result.success) throw invalidBody(result.error.issues, result.data);
      }),
  );
  return async function validateBody(c: Context<AppEnv, string, Body<T>>, value) {
    if (value === undefined) throw new AppError('empty_body', 'This needs a JSON body.');
    const odd = oddMembers(value);
    // What zod does not notice, or should not look through.
    if (odd.large || odd.faults.length > 0) return validate(schema(), value);
    c.req.json = async () => value as never;
    await checker()(c, proceed);
    return c.req.valid('json');
  };
}
