import fc from 'fast-check';

/**
 * What tests draw is the same in every run: one that fails does so by what was changed, and not by its luck. `DRAWS=anew` draws
 * other ones and says which, `DRAWS=<seed>` those once more.
 */
export const SEED = process.env.DRAWS === 'anew' ? Date.now() % 1_000_000 : Number(process.env.DRAWS ?? 20_261);
if (process.env.DRAWS === 'anew') console.log(`DRAWS=${SEED}`);

fc.configureGlobal({ seed: SEED });
