import { randomBytes } from 'node:crypto';

// Bodies that cost more than they weigh.

/** An object of so many keys that nobody knows. */
export const unknown = (keys: number) => Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, 1]));

/** Of letters alone: what has a digit in it is no word of a name. */
const word = (): string => Array.from(randomBytes(4), (byte) => String.fromCharCode(97 + (byte % 26))).join('');

/** 500 clients of 66 different name words each. */
export const nameHeavy = () => {
  const words = (): string => Array.from({ length: 33 }, word).join(' ');
  return Array.from({ length: 500 }, () => ({ firstName: words(), lastName: words() }));
};
