import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Paid, settled } from '../../../src/billing/invoices/settling.ts';

// Payments and refunds of a file come in in an order that the books allow, whatever the order was in which they happened.

type Kept = { payments: (Paid & { refunds: { amount: number; at: number }[] })[]; isPaid: boolean };

/** What becomes of an invoice by choices at random, as the database allows them: paid at its total, then only given back. */
function history(total: number, choices: readonly (readonly [number, number])[]): Kept {
  const payments: Kept['payments'] = [];
  let held = 0;
  let isPaid = false;
  for (const [at, [what, share]] of choices.entries()) {
    const left = payments.map(({ amount, refunds }) => amount - refunds.reduce((sum, each) => sum + each.amount, 0));
    const of = what % (payments.length + 1);
    if (of === payments.length && !isPaid) {
      const amount = share > 90 ? total - held : Math.max(1, Math.floor(((total - held) * share) / 100));
      payments.push({ amount, refunds: [] });
      held += amount;
      isPaid = held === total;
    } else if ((left[of] ?? 0) > 0) {
      const amount = share > 60 ? (left[of] ?? 0) : Math.max(1, Math.floor(((left[of] ?? 0) * share) / 100));
      payments[of]?.refunds.push({ amount, at });
      held -= amount;
    }
  }
  return { payments, isPaid };
}

/** The same in the order of steps; how it ends, or why it cannot be. */
function played(payments: readonly Paid[], total: number, steps: NonNullable<ReturnType<typeof settled>>): string {
  let held = 0;
  let isPaid = false;
  const most = Math.max(1, ...steps.flatMap(({ step, refunds }) => [step, ...refunds]));
  const back = payments.map(() => 0);
  for (let now = 1; now <= most; now += 1) {
    for (const [i, { amount, refunds }] of payments.entries()) {
      if (steps[i]?.step === now) {
        if (now % 2 === 0 || isPaid) return `payment ${i} at ${now}`;
        held += amount;
      }
      for (const [k, refund] of refunds.entries()) {
        if (steps[i]?.refunds[k] !== now) continue;
        if (now % 2 === 1 || (steps[i]?.step ?? 0) > now) return `refund ${i} ${k} at ${now}`;
        held -= refund.amount;
        back[i] = (back[i] ?? 0) + refund.amount;
      }
    }
    if (held > total || held < 0) return `${held} at ${now}`;
    isPaid ||= held === total;
  }
  return isPaid ? 'PAID' : 'OPEN';
}

test('whatever happened to an invoice can be told again, and ends as it did', () => {
  const choice = fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 100 }));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.array(choice, { maxLength: 12 }),
      fc.boolean(),
      (total, choices, turned) => {
        const { payments, isPaid } = history(total, choices);
        const told = turned ? payments.toReversed() : payments;
        const steps = settled(told, total, isPaid);
        expect(steps).not.toBeNull();
        expect(steps && played(told, total, steps)).toBe(isPaid ? 'PAID' : 'OPEN');
      },
    ),
    { numRuns: 20_000 },
  );
});

test.each([
  ['too much', [{ amount: 101, refunds: [] }], 100, false],
  [
    'paid twice',
    [
      { amount: 100, refunds: [] },
      { amount: 100, refunds: [] },
    ],
    100,
    true,
  ],
  ['too much, and some of it back', [{ amount: 110, refunds: [{ amount: 20, at: 1 }] }], 100, true],
])('%s is none', (_, payments, total, isPaid) => expect(settled(payments, total, isPaid)).toBeNull());
