import { describe, expect, test } from 'vitest';
import { Door } from '../../../src/data/door.ts';

const NOW = 1_000_000;

let people = 0;
/** Somebody of a company whom nobody has seen. */
const somebody = (companyId = 'one') => ({ companyId, actor: `USER:${people++}` });
type Comer = ReturnType<typeof somebody>;

/** What becomes of so many who come together, by default each somebody else. */
const crowd = (door: Door, count: number, now = NOW, who: () => Comer = somebody): (number | 'refused')[] =>
  Array.from({ length: count }, () => {
    const turn = door.knock(who(), 'socket', now);
    return 'wait' in turn ? turn.wait : 'refused';
  });

describe('the door of a room', () => {
  test('a salon of a hundred screens that comes back together is let in within two seconds, and so it is when it comes again', () => {
    const door = new Door();
    const first = crowd(door, 100);
    expect([first[19], first[20], first[99]]).toEqual([0, 20, 1600]);
    const second = crowd(door, 100, NOW + 1000);
    expect(second.every((wait) => wait !== 'refused' && wait <= 2600)).toBe(true);
    expect(crowd(door, 20, NOW + 60_000)).toEqual(Array.from({ length: 20 }, () => 0));
  });

  test('whoever would wait longer than six seconds is told when to come, and spends nobody’s turn', () => {
    const door = new Door();
    const came = crowd(door, 1000);
    expect(came.filter((wait) => wait !== 'refused')).toHaveLength(320);
    expect(came[319]).toBe(6000);
    expect(door.knock(somebody(), 'socket', NOW)).toEqual({ again: 20 });
    expect(door.knock(somebody(), 'socket', NOW + 20)).toEqual({ wait: 6000 });
  });

  test('whoever has less patience is refused sooner, but never where there is no wait', () => {
    const door = new Door();
    expect(door.knock(somebody(), 'socket', NOW, -5000)).toEqual({ wait: 0 });
    crowd(door, 70);
    expect(door.knock(somebody(), 'socket', NOW, 1000)).toEqual({ again: 40 });
    expect(door.knock(somebody(), 'socket', NOW, 1040)).toEqual({ wait: 1040 });
  });

  test('who comes as often as they can keeps colleagues waiting for nothing, and waits behind themselves', () => {
    const door = new Door();
    const one = somebody();
    const came = crowd(door, 1000, NOW, () => one);
    expect(came.filter((wait) => wait !== 'refused')).toHaveLength(340);
    expect([came[39], came[40], came[339], came[340]]).toEqual([0, 20, 6000, 'refused']);
    expect(crowd(door, 1)).toEqual([20]);
    // A minute of it: what is theirs again each second is a tenth of what all have.
    for (let n = 0; n < 6000; n += 1) crowd(door, 1, NOW + n * 10, () => one);
    expect(crowd(door, 10, NOW + 60_000)).toEqual(Array.from({ length: 10 }, () => 0));
  });

  test('a salon whose hundred screens are one user is let in as soon', () => {
    const one = somebody();
    const came = crowd(new Door(), 100, NOW, () => one);
    expect(came.every((wait) => wait !== 'refused' && wait <= 2000)).toBe(true);
  });

  test('another company, and another errand, wait for nothing', () => {
    const door = new Door();
    crowd(door, 1000);
    expect(crowd(door, 1, NOW, () => somebody('other'))).toEqual([0]);
    expect(door.knock(somebody(), 'ticket', NOW)).toEqual({ wait: 0 });
  });

  test('who it has let in longest ago it forgets, not who still owes', () => {
    const door = new Door();
    crowd(door, 320);
    for (let n = 0; n < 20_000; n += 1) door.knock(somebody(`company ${n}`), 'socket', NOW + n / 20);
    // Those turns of the first that time has not given back, though three times as many came as it keeps.
    expect(crowd(door, 1, NOW + 1000)).toEqual([5020]);
  });
});
