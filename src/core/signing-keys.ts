import { isObject } from './json.ts';

/** A key of access tokens as published: P-256 coordinates, and the `kid` a token names it by. */
export type PublicJwk = JsonWebKey & { kid: string };

/**
 * The settings `JWT_PRIVATE_KEY` (an EC P-256 private JWK with a `kid`) and `JWT_PUBLIC_KEYS` (a JWKS of all live public keys, the
 * private one's public half among them) as they are told, without anything being tried.
 * @throws Error naming the setting that is wrong and how; never with any of its value
 */
export function readSigningKeys(privateJwk: string, publicJwks: string): { own: PublicJwk; published: PublicJwk[] } {
  const own = readJwk('JWT_PRIVATE_KEY', readJson('JWT_PRIVATE_KEY', privateJwk));
  if (own.d === undefined) throw wrongSetting('JWT_PRIVATE_KEY', 'is a public key; the private one is needed');
  const set = readJson('JWT_PUBLIC_KEYS', publicJwks);
  if (!isObject(set) || !Array.isArray(set.keys))
    throw wrongSetting('JWT_PUBLIC_KEYS', 'must look like {"keys": [...]}');
  const published = set.keys.map((entry: unknown) => readJwk('JWT_PUBLIC_KEYS', entry));
  if (published.some((jwk) => jwk.d !== undefined)) throw wrongSetting('JWT_PUBLIC_KEYS', 'holds a private key');
  const kids = published.map(({ kid }) => kid);
  const twice = kids.find((kid, i) => kids.indexOf(kid) < i);
  if (twice !== undefined) throw wrongSetting('JWT_PUBLIC_KEYS', `holds the kid ${JSON.stringify(twice)} twice`);
  const half = published.find(({ kid }) => kid === own.kid);
  const named = JSON.stringify(own.kid);
  if (half === undefined) throw wrongSetting('JWT_PUBLIC_KEYS', `lacks the kid ${named} of JWT_PRIVATE_KEY`);
  if (half.x !== own.x || half.y !== own.y)
    throw wrongSetting('JWT_PUBLIC_KEYS', `holds another key under the kid ${named} than JWT_PRIVATE_KEY`);
  return { own, published };
}

/** Takes over the fields we know, so that nothing else of a setting is ever published. */
function readJwk(setting: string, value: unknown): PublicJwk {
  if (!isObject(value) || value.kty !== 'EC' || value.crv !== 'P-256')
    throw wrongSetting(setting, 'must hold EC P-256 JWKs');
  const { kid, x, y, d } = value;
  if (typeof kid !== 'string' || kid === '') throw wrongSetting(setting, 'holds a key without kid');
  if (typeof x !== 'string' || typeof y !== 'string') throw wrongSetting(setting, 'holds a key without x and y');
  return { kty: 'EC', crv: 'P-256', x, y, kid, ...(typeof d === 'string' && { d }) };
}

function readJson(setting: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes its input, which is the private key.
    throw wrongSetting(setting, 'is not JSON');
  }
}

/** Of a setting and never its value. */
export function wrongSetting(setting: string, problem: string): Error {
  return new Error(`${setting} ${problem}`);
}
