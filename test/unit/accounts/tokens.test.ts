import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadKeys, publicJwks, signAccess, type TokenKeys, verifyAccess } from '../../../src/account/sign-in/tokens.ts';

type Made = { private: Record<string, unknown>; public: Record<string, unknown>; key: CryptoKey };

const NOW = 1_800_000_000_500;
const END = 1_800_000_600_000;
const WHO = {
  userId: '01900000-0000-7000-8000-000000000001',
  companyId: '01900000-0000-7000-8000-000000000002',
  sessionId: '01900000-0000-7000-8000-000000000003',
  role: 'MANAGER',
} as const;
const PAYLOAD = {
  iss: 'clientsplus',
  aud: 'clientsplus-api',
  sub: WHO.userId,
  cid: WHO.companyId,
  sid: WHO.sessionId,
  role: WHO.role,
  iat: 1_800_000_000,
  exp: 1_800_000_600,
};

let old: Made;
let current: Made;
let keys: TokenKeys;

/** A pair as other tools write it, with more fields than we need. */
async function make(kid: string): Promise<Made> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const extra = { kid, alg: 'ES256', use: 'sig', ext: true, note: 'n' };
  return {
    private: { ...(await exportJWK(privateKey)), ...extra, key_ops: ['sign'] },
    public: { ...(await exportJWK(publicKey)), ...extra, key_ops: ['verify'] },
    key: privateKey,
  };
}

const load = (own: unknown, ...published: unknown[]) =>
  loadKeys(JSON.stringify(own), JSON.stringify({ keys: published }));

/** A token as ours, but for what the test changes. */
function forge(header: object = {}, payload: JWTPayload = {}, key: CryptoKey | Uint8Array = current.key) {
  return new SignJWT({ ...PAYLOAD, ...payload })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'current', ...header })
    .sign(key);
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const part = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as object;

const refuses = (token: string, code: string, now = NOW, by = keys) =>
  expect(verifyAccess(by, token, now)).rejects.toMatchObject({ name: 'AppError', code });

beforeAll(async () => {
  old = await make('old');
  current = await make('current');
  keys = await load(current.private, old.public, current.public);
});

describe('access tokens', () => {
  it('signs an RFC 9068 token that verifies to the same claims', async () => {
    const { token, expiresIn } = await signAccess(keys, WHO, NOW);
    expect(expiresIn).toBe(600);
    expect(part(token, 0)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: 'current' });
    expect(part(token, 1)).toEqual({
      ...PAYLOAD,
      client_id: 'clientsplus',
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await verifyAccess(keys, token, NOW)).toEqual({ ...WHO, expiresAt: END });
    expect((await signAccess(keys, WHO, NOW)).token).not.toBe(token);
  });

  it('expires by the injected clock, to the millisecond', async () => {
    const { token } = await signAccess(keys, WHO, NOW);
    await refuses(token, 'token_expired', END);
    await expect(verifyAccess(keys, token, END - 1)).resolves.toMatchObject(WHO);
    await refuses(await forge({}, { exp: 1_800_000_000 }), 'token_expired');
  });

  it('remembers a verified token, never past its expiry, and hands out what nobody can change', async () => {
    const { token } = await signAccess(keys, WHO, NOW);
    const first = await verifyAccess(keys, token, NOW);
    expect(keys.verified.get(token)).toBe(first);
    expect(await verifyAccess(keys, token, END - 1)).toBe(first);
    expect(() => Object.assign(first, { role: 'OWNER' })).toThrow(TypeError);
    await refuses(token, 'token_expired', END);
    expect(keys.verified.get(token)).toBeUndefined();
    await refuses(token, 'token_expired', END);
  });

  it('remembers what weighs so much in all, those used longest ago leave first, and no refused token', async () => {
    const own = await load(current.private, current.public);
    const filler = { ...WHO, expiresAt: NOW + 1 };
    const token = await forge();
    await verifyAccess(own, token, NOW);
    const fill = (from: number) => {
      for (let i = from; i < from + 1000; i++) own.verified.set(`filler-${i}`, filler, 2500);
    };
    fill(0);
    await verifyAccess(own, token, NOW);
    await refuses(await forge({}, { aud: 'else' }), 'unauthenticated', NOW, own);
    expect(own.verified.get('filler-0')).toBe(filler);
    fill(1000);
    fill(2000);
    fill(3000);
    const kept = ['filler-1', token, 'filler-3999'].map((key) => own.verified.get(key) !== undefined);
    expect(kept).toEqual([false, false, true]);
  });
});

describe('access tokens refused', () => {
  it('but not what the test forges when nothing is changed', async () => {
    await expect(verifyAccess(keys, await forge(), NOW)).resolves.toMatchObject(WHO);
  });

  it('alg none, without a signature and with one of the right length', async () => {
    const unsigned = `${encode({ alg: 'none', typ: 'at+jwt', kid: 'current' })}.${encode(PAYLOAD)}`;
    for (const signature of ['', 'A'.repeat(86)]) await refuses(`${unsigned}.${signature}`, 'unauthenticated');
  });

  it('an HMAC keyed with the public key, in any spelling of it', async () => {
    const spellings = [current.public, publicJwks(keys), publicJwks(keys).keys[1]].map((jwk) => JSON.stringify(jwk));
    for (const secret of [...spellings, `${current.public.x}${current.public.y}`]) {
      for (const alg of ['HS256', 'HS512']) {
        await refuses(await forge({ alg }, {}, new TextEncoder().encode(secret)), 'unauthenticated');
      }
    }
  });

  it.each([
    ['typ JWT', { typ: 'JWT' }, {}],
    ['no typ', { typ: undefined }, {}],
    ['unknown kid', { kid: 'other' }, {}],
    ['no kid', { kid: undefined }, {}],
    ['the kid of another live key', { kid: 'old' }, {}],
    ['a kid of Object.prototype', { kid: 'constructor' }, {}],
    ['wrong audience', {}, { aud: 'clientsplus-web' }],
    ['wrong issuer', {}, { iss: 'someone' }],
    ['no issuer', {}, { iss: undefined }],
    ['no expiry', {}, { exp: undefined }],
    ['not yet valid', {}, { nbf: 1_800_000_060 }],
    ['no subject', {}, { sub: undefined }],
    ['a TypeID for a company', {}, { cid: 'comp_01h455vb4pex5vsknk084sn02q' }],
    ['no session', {}, { sid: undefined }],
    ['an unknown role', {}, { role: 'ROOT' }],
    ['wrong audience and expired', {}, { aud: 'clientsplus-web', exp: 1 }],
  ])('%s', async (_name, header, payload) => {
    await refuses(await forge(header, payload as JWTPayload), 'unauthenticated');
  });

  it('tampered in any part, beside the remembered original, or signed by a stranger under our kid', async () => {
    await refuses(await forge({}, {}, (await make('current')).key), 'unauthenticated');
    const token = await forge();
    await verifyAccess(keys, token, NOW);
    const [header, , signature] = token.split('.');
    await refuses(`${header}.${encode({ ...part(token, 1), role: 'OWNER' })}.${signature}`, 'unauthenticated');
    const flipped = signature?.startsWith('A') ? 'B' : 'A';
    await refuses(token.replace(/\.[^.]([^.]*)$/, `.${flipped}$1`), 'unauthenticated');
    for (const other of [`A${token}`, `${token} `, `${token}\n`, `${token}=`]) await refuses(other, 'unauthenticated');
  });

  it.each(['', '.', '..', 'a.b.c', 'null', 'cpk_live_x', 'é.é.é', 'x'.repeat(100_000)])('garbage %#', async (token) => {
    await refuses(token, 'unauthenticated');
  });

  it('without the payload in the error', async () => {
    const token = await forge({}, { aud: 'a', email: 'anna@example.com' });
    const error = await verifyAccess(keys, token, NOW).catch((e) => e);
    expect(JSON.stringify({ ...error, message: error.message, cause: error.cause })).not.toContain('anna');
  });
});

describe('keys', () => {
  it('rotates: both live keys verify, a key taken out is refused at once, remembered tokens included', async () => {
    const before = await load(old.private, old.public);
    const { token } = await signAccess(before, WHO, NOW);
    await verifyAccess(before, token, NOW);
    const both = await load(current.private, old.public, current.public);
    expect(await verifyAccess(both, token, NOW)).toMatchObject(WHO);
    const after = await load(current.private, current.public);
    await refuses(token, 'unauthenticated', NOW, after);
    expect(await load(current.private, current.public), 'the same settings are imported once').toBe(after);
    expect(await verifyAccess(after, (await signAccess(both, WHO, NOW)).token, NOW)).toMatchObject(WHO);
  });

  it('publishes public parts only, of every live key', async () => {
    const published = [old, current].map(({ public: { ext, note, key_ops, ...jwk } }) => jwk);
    expect(publicJwks(keys)).toEqual({ keys: published });
    expect(Object.keys(published[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('names the setting that is wrong, and never its value', async () => {
    const { d, ...half } = current.private;
    const set = (...published: unknown[]) => JSON.stringify({ keys: published });
    const own = JSON.stringify(current.private);
    const cases: [string, string, RegExp][] = [
      [`"${d}`, set(current.public), /^JWT_PRIVATE_KEY is not JSON$/],
      [JSON.stringify(half), set(current.public), /^JWT_PRIVATE_KEY is a public key/],
      [JSON.stringify({ ...current.private, kid: undefined }), set(current.public), /^JWT_PRIVATE_KEY .* without kid/],
      [JSON.stringify({ kty: 'RSA', kid: 'k' }), set(current.public), /^JWT_PRIVATE_KEY must hold EC P-256/],
      [JSON.stringify({ ...current.private, d: 'AAAA' }), set(current.public), /^JWT_PRIVATE_KEY holds a key that is/],
      [own, `${own}}`, /^JWT_PUBLIC_KEYS is not JSON$/],
      [own, JSON.stringify([current.public]), /^JWT_PUBLIC_KEYS must look like/],
      [own, set(old.public), /^JWT_PUBLIC_KEYS lacks the kid "current"/],
      [own, set(current.private), /^JWT_PUBLIC_KEYS holds a private key/],
      [own, set(current.public, current.public), /^JWT_PUBLIC_KEYS holds the kid "current" twice/],
      [own, set({ ...old.public, kid: 'current' }), /^JWT_PUBLIC_KEYS holds another key under the kid "current"/],
      [own, set(current.public, { ...old.public, x: old.public.y }), /^JWT_PUBLIC_KEYS holds a key that is no point/],
    ];
    for (const [privateJwk, published, message] of cases) {
      const error: Error = await loadKeys(privateJwk, published).catch((e) => e);
      expect(String(error.message)).toMatch(message);
      expect(error.message).not.toContain(String(d));
      expect(error.cause).toBeUndefined();
    }
  });
});
