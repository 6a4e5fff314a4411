import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { errorText } from './errors.ts';
import { makeSecrets } from './secrets.ts';

const usage = `npm run -s secrets -- [--database URL] > .secrets

Prints new keys and passwords for one deployment, as a file for \`npm run roles\` and \`wrangler secret bulk\`.

  --database URL   the pooled address of the database, whatever login it names: the addresses of the three roles are made from it`;

const roles = { DATABASE_URL: 'cp_app', DATABASE_AUTH_URL: 'cp_auth', DATABASE_JOBS_URL: 'cp_jobs' } as const;

/** The lines of a `.secrets` file; what only the operator knows is left to fill in. */
export function secretsFile(database: string | undefined): string {
  const secrets = makeSecrets();
  const urls = Object.entries(roles).map(([name, role]) => {
    const url = new URL(database ?? 'postgres://HOST-pooler/DATABASE?sslmode=require');
    url.username = role;
    url.password = secrets.roles[role];
    return `${name}=${quoted(url.href)}`;
  });
  const lines = [
    '# Secrets of one deployment. Keep this file where secrets are kept, not in the repository.',
    ...urls,
    '# From the console of the Redis',
    'UPSTASH_REDIS_REST_URL=',
    'UPSTASH_REDIS_REST_TOKEN=',
    `JWT_PRIVATE_KEY=${quoted(secrets.jwtPrivateKey)}`,
    `JWT_PUBLIC_KEYS=${quoted(secrets.jwtPublicKeys)}`,
    `CURSOR_SECRET=${secrets.cursorSecret}`,
    '# With MAILER_URL: signs what is posted there; give the mailer the same',
    `# MAILER_SECRET=whsec_${randomBytes(32).toString('base64')}`,
  ];
  return `${lines.join('\n')}\n`;
}

const quoted = (text: string): string => `'${text}'`;

if (import.meta.main) {
  try {
    const { values } = parseArgs({ options: { database: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
    if (values.database !== undefined && !/^postgres(ql)?:\/\//.test(values.database))
      throw new Error('--database takes a URL starting with postgres://');
    process.stdout.write(values.help === true ? `${usage}\n` : secretsFile(values.database));
  } catch (error) {
    console.error(errorText(error));
    process.exitCode = 1;
  }
}
