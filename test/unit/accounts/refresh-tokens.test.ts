import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashRefreshToken, newRefreshToken } from '../../../src/account/sign-in/tokens.ts';

describe('refresh tokens', () => {
  it('are 32 random bytes, known again by their hash', () => {
    const { token, hash } = newRefreshToken();
    expect(token).toMatch(/^cpr_[A-Za-z0-9_-]{43}$/);
    expect(new Uint8Array(hash)).toEqual(new Uint8Array(createHash('sha256').update(token).digest()));
    expect(hashRefreshToken(token)).toEqual(hash);
    expect(newRefreshToken().token).not.toBe(token);
  });

  it('are not hashed when malformed', () => {
    const a = (length: number) => 'a'.repeat(length);
    const malformed = [
      '',
      'cpr_',
      `cpr_${a(42)}`,
      `cpr_${a(44)}`,
      `cpr_${a(42)}=`,
      `cpk_${a(43)}`,
      `cpr_${a(43)}
`,
    ];
    for (const token of malformed) expect(hashRefreshToken(token), JSON.stringify(token)).toBeNull();
  });
});
