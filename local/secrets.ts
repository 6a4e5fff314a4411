import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, StackError } from './errors.ts';
import type { RolePasswords } from './roles.ts';

/** Everything secret of one data folder, kept in `<dir>/secrets.json`. */
export interface Secrets {
  postgresPassword: string;
  roles: RolePasswords;
  redisToken: string;
  /** ES256 private key as JWK text. */
  jwtPrivateKey: string;
  /** Public JWKS text `{"keys":[…]}`. */
  jwtPublicKeys: string;
  /** 32 random bytes, base64url. */
  cursorSecret: string;
}

/** Reads the folder's secrets or makes them on first use. Throws StackError when the file cannot be read. */
export async function loadSecrets(dir: string): Promise<Secrets> {
  const file = join(dir, 'secrets.json');
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Secrets;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      throw new StackError(`cannot read ${file} (${errorText(error)}): --fresh starts over with an empty folder`);
    }
  }
  const secrets = makeSecrets();
  // Written aside first: half a file would lock us out of the database for good.
  await writeFile(`${file}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secrets;
}

/** New secrets of every kind, kept nowhere. */
export function makeSecrets(): Secrets {
  const random = (): string => randomBytes(32).toString('base64url');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const header = { kid: randomUUID(), alg: 'ES256', use: 'sig' };
  return {
    postgresPassword: random(),
    roles: { cp_app: random(), cp_auth: random(), cp_jobs: random() },
    redisToken: random(),
    jwtPrivateKey: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...header }),
    jwtPublicKeys: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...header }] }),
    cursorSecret: random(),
  };
}
