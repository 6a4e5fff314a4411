/**
 * Arithmetic on minor units. Amounts are whole numbers up to MAX_AMOUNT; a product of two of them is not exact as a double,
 * so products are BigInt. (dinero.js has nothing for these two: it hands what is left of a split to the first shares, not to
 * the largest remainders, and every amount would be an object.)
 */

/** Basis points of a whole. */
export const WHOLE = 10_000;

/** amount × numerator ÷ denominator, rounded half away from zero. The denominator is positive. */
export function scaled(amount: number, numerator: number, denominator: number): number {
  const product = BigInt(amount) * BigInt(numerator);
  const divisor = BigInt(denominator);
  const size = (2n * (product < 0n ? -product : product) + divisor) / (2n * divisor);
  return Number(product < 0n ? -size : size);
}

/**
 * The amount in shares that have the weights' proportions and sum to it exactly. What is left after rounding towards zero
 * goes, a unit each, to the largest remainders, of equal ones to the first. Weights are not negative; of weights that are all 0
 * the amount must be 0.
 */
export function spread(amount: number, weights: readonly number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  if (whole === 0n) return weights.map(() => 0);
  const sign = amount < 0 ? -1 : 1;
  const size = BigInt(Math.abs(amount));
  const products = weights.map((weight) => size * BigInt(weight));
  const shares = products.map((product) => Number(product / whole));
  const left = Math.abs(amount) - shares.reduce((sum, share) => sum + share, 0);
  const remainders = products.map((product, index) => ({ index, remainder: product % whole }));
  remainders.sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder < b.remainder ? 1 : -1));
  const favoured = new Set(remainders.slice(0, left).map(({ index }) => index));
  // Adding 0 makes 0 of -0.
  return shares.map((share, index) => sign * (share + (favoured.has(index) ? 1 : 0)) + 0);
}
