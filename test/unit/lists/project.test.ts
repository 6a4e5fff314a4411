import { describe, expect, it } from 'vitest';
import { compileProjection } from '../../../src/core/project.ts';

const view = { id: 'clnt_1', firstName: 'John', lastName: null, email: 'j@example.com', stats: { visits: 1 } };

describe('compileProjection', () => {
  it('keeps everything when no fields are named', () => expect(compileProjection(null)(view)).toBe(view));

  it('keeps the named keys and id, in the order of the view', () => {
    expect(Object.keys(compileProjection(['stats', 'email', 'firstName'])(view))).toEqual([
      'id',
      'firstName',
      'email',
      'stats',
    ]);
  });

  it('keeps null, and adds nothing that the view lacks', () => {
    expect(compileProjection(['lastName', 'phone'])(view)).toEqual({ id: 'clnt_1', lastName: null });
  });

  it('keeps id alone when nothing is named', () => expect(compileProjection([])(view)).toEqual({ id: 'clnt_1' }));

  it('keeps nothing of the prototype', () => {
    const keys = Object.keys(compileProjection(['constructor', 'toString', '__proto__'])(view));
    expect(keys).toEqual(['id']);
  });
});
