import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorText, StackError } from './errors.ts';

/** What the command line of `npm run dev` asks for. */
export interface DevOptions {
  port: number;
  fresh: boolean;
  /** Absolute path of the data folder. */
  persist: string;
  quiet: boolean;
  /** Log lines as JSON, on a terminal too. */
  json: boolean;
  help: boolean;
  postgresUrl?: string;
  redisUrl?: string;
}

export const usage = `npm run dev -- [options]

  --port N          port of the API on 127.0.0.1 (8787)
  --fresh           start from an empty database
  --persist DIR     data folder (.data)
  --quiet           log warnings only
  --json            log lines as JSON on a terminal too
  --postgres URL    use this Postgres (a superuser or CREATEROLE login) instead of the embedded one: a database of its
                    own, made when missing; roles or a database that npm run dev did not make are never touched
  --redis URL       use this Redis instead of the embedded one, under keys of its own
  --help            this text

Settings of the Worker (SIGNUP, RATE_LIMIT_PER_MINUTE, CACHE_MAX_STALENESS_MS, …) are taken from the environment and from
the file .env; .env.example lists them.`;

/** Reads the arguments after the script's name. Throws StackError with one line for anything it does not know. */
export function readOptions(args: string[]): DevOptions {
  const { values } = parse(args);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port < 1 || port > 65_535)
    throw new StackError('--port takes a number from 1 to 65535');
  checkUrl('--postgres', values.postgres, ['postgres:', 'postgresql:']);
  checkUrl('--redis', values.redis, ['redis:', 'rediss:']);
  if (values.fresh && values.postgres !== undefined) {
    throw new StackError('--fresh empties the embedded database only: empty yours yourself, or leave out --postgres');
  }
  return {
    port,
    fresh: values.fresh,
    persist: resolve(values.persist),
    quiet: values.quiet,
    json: values.json,
    help: values.help,
    ...(values.postgres === undefined ? {} : { postgresUrl: values.postgres }),
    ...(values.redis === undefined ? {} : { redisUrl: values.redis }),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '8787' },
        fresh: { type: 'boolean', default: false },
        persist: { type: 'string', default: '.data' },
        quiet: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        postgres: { type: 'string' },
        redis: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    const reason = errorText(error).split('\n')[0]?.split('. To specify')[0] ?? '';
    throw new StackError(`${reason}; see npm run dev -- --help`);
  }
}

function checkUrl(option: string, value: string | undefined, protocols: string[]): void {
  if (value === undefined) return;
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return;
  throw new StackError(`${option} takes a URL starting with ${protocols[0]}//`);
}
