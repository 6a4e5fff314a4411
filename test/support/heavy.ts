import { randomBytes } from 'node:crypto';

// Bodies that cost more than they weigh.

/** An object of so many keys that nobody knows. */
export const unknown = (keys: number) => Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, 1]));

/** 500 clients of 66 different name words each. */
export const nameHeavy = () => {
  const words = (): string => Array.from({ length: 33 }, () => randomBytes(2).toString('hex')).join(' ');
  return Array.from({ length: 500 }, () => ({ firstName: words(), lastName: words() }));
};
