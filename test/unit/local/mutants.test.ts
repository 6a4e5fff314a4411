import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

// Mutants are run seldom, and a patch that has come apart from its source or its suite breaks nothing.

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'test/mutants');
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));

describe.each(patches)('%s', (name) => {
  test('applies, and names suites that there are', () => {
    const { stderr } = spawnSync('git', ['apply', '--check', join(folder, name)], { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    const [, tests = ''] = /^tests: (.*)$/m.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
    expect(tests.split(' ').filter((suite) => !existsSync(join(root, suite)))).toEqual([]);
  });
});
