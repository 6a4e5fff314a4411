import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSettings, handedThrough, settingsFrom, stackOwned, unusedSettings } from '../../../local/settings.ts';
import { exampleSettings } from '../../../local/stack.ts';
import type { Env } from '../../../src/env.ts';
import { loadSettings } from '../../../src/settings.ts';

const root = join(import.meta.dirname, '../../..');
const toolingOnly = 'DATABASE_MIGRATION_URL';

/** What src/env.ts asks for, whether everything is set (and wrong) or nothing is. */
function asked(): string[] {
  const names = new Set<string>();
  for (const value of [undefined, 'x']) {
    const env = new Proxy({} as Env, {
      get: (_, name) => {
        names.add(String(name));
        return value;
      },
    });
    expect(() => loadSettings(env)).toThrow();
  }
  return [...names].sort();
}

const rows = (text: string): string[] =>
  [...text.matchAll(/^\| (`[A-Z_0-9]+`(?:, `[A-Z_0-9]+`)*) \|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`([A-Z_0-9]+)`/g)].map(([, name]) => String(name)),
  );

describe('settings', () => {
  it('are the same in src/env.ts, docs/operations.md, .env.example and what npm run dev takes or makes', () => {
    const known = asked();
    const documented = rows(readFileSync(join(root, 'docs/operations.md'), 'utf8'));
    expect(documented.filter((name) => name !== toolingOnly).sort()).toEqual(known);
    expect([...handedThrough, ...stackOwned].sort()).toEqual(known);
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    const listed = [...example.matchAll(/^#? ?([A-Z_0-9]+)=/gm)].map(([, name]) => String(name));
    expect(listed.sort()).toEqual([...handedThrough, toolingOnly].sort());
  });

  it('of a stack of its own are right, and each that is wrong is named in a line', () => {
    expect(() => checkSettings(exampleSettings())).not.toThrow();
    const wrong = settingsFrom({
      RATE_LIMIT_PER_MINUTE: 'plenty',
      SIGNUP: 'maybe',
      MAILER_URL: 'https://x.test',
      PATH: '/',
    });
    expect(Object.keys(wrong)).toEqual(['SIGNUP', 'RATE_LIMIT_PER_MINUTE', 'MAILER_URL']);
    const lines = /^- (\w+).*$/gm;
    let message = '';
    try {
      checkSettings({ ...exampleSettings(), ...wrong });
    } catch (error) {
      message = String(error);
    }
    const named = [...message.matchAll(lines)].map(([, name]) => name);
    expect(named.sort()).toEqual(['MAILER_SECRET', 'RATE_LIMIT_PER_MINUTE', 'SIGNUP']);
    expect(message).not.toMatch(/plenty|maybe/);
  });

  it('of two deployments are no pair of keys, which is said before anybody signs in', () => {
    const [one, other] = [exampleSettings(), exampleSettings()];
    expect(() => checkSettings({ ...one, JWT_PRIVATE_KEY: other.JWT_PRIVATE_KEY ?? '' })).toThrow(
      /^Settings:\n- JWT_PUBLIC_KEYS lacks the kid "[^"]+" of JWT_PRIVATE_KEY$/,
    );
    expect(() => checkSettings({ ...one, JWT_PRIVATE_KEY: one.JWT_PUBLIC_KEYS ?? '' })).toThrow(
      '- JWT_PRIVATE_KEY must hold',
    );
  });

  it('that a stack of its own cannot use are named, not their values', () => {
    expect(unusedSettings({ DATABASE_URL: '', DB_IDLE_TIMEOUT: '' })).toEqual([]);
    expect(
      unusedSettings({ DATABASE_URL: 'postgres://secret', DB_IDLE_TIMEOUT: '5', DB_MIN_CONNECTIONS: '1' }),
    ).toEqual([
      expect.stringMatching(/^not used: DATABASE_URL \(.*--postgres/),
      expect.stringMatching(/^not used: DB_MIN_CONNECTIONS, DB_IDLE_TIMEOUT \(.*no pool/),
    ]);
  });
});
