import { expect, test } from 'vitest';
import { lazyMembers, withMembers } from '../../../src/core/lazy.ts';

test('members are made together and once, when one of them is first asked for', () => {
  let made = 0;
  const object = lazyMembers({ name: 'a' }, ['double', 'half'], () => {
    made += 1;
    return { double: 2, half: 0.5 };
  });
  expect([object.name, made]).toEqual(['a', 0]);
  expect([object.double, object.half, made]).toEqual([2, 0.5, 1]);
  expect({ ...object }).toEqual({ name: 'a', double: 2, half: 0.5 });
});

test('an object that is given members asks for none of its own, and keeps the first one as it was', () => {
  let made = 0;
  const first = lazyMembers({ name: 'a' }, ['list'], () => {
    made += 1;
    return { list: [1] };
  });
  const second = withMembers(first, { name: 'b', more: () => [...first.list, 2] });
  expect([second.name, first.name, made]).toEqual(['b', 'a', 0]);
  expect([second.more(), second.list, made]).toEqual([[1, 2], [1], 1]);
});
