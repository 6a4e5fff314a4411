/** What was paid and what of it went back, as a file tells it: minor units, refunds in the order in which they were made. */
export type Paid = { amount: number; refunds: readonly { amount: number; at: number }[] };

/**
 * When payments and refunds come in: at odd steps payments, at even ones refunds, so that an invoice is never above its total and
 * is paid with its last payment. Null where no order of them does that.
 */
export type Steps = readonly { step: number; refunds: readonly number[] }[];

/**
 * Of one that is to be PAID what was given back before the last payment made room for it, and what came after that did not;
 * of any other all of it may have come before. The more is given back before the rest comes, the earlier a payment stands: that
 * leaves the most room.
 */
export function settled(payments: readonly Paid[], total: number, isPaid: boolean): Steps | null {
  const before = givenBack(payments, total, isPaid);
  if (before === null) return null;
  const order = payments
    .map(({ amount }, i) => ({ i, amount, back: backBefore(payments[i], before) }))
    .sort((a, b) => b.back - a.back || a.i - b.i);
  let held = 0;
  let most = 1;
  const steps = new Map<number, number>();
  for (const { i, amount, back } of order) {
    // Whatever is paid takes no more.
    if (held >= total || held + amount > total) return null;
    steps.set(i, most);
    if (back > 0) most += 2;
    held += amount - back;
  }
  return payments.map(({ refunds }, i) => {
    const step = steps.get(i) ?? 1;
    return { step, refunds: refunds.map((refund) => (before.has(refund) ? step + 1 : most + 1)) };
  });
}

type Refund = Paid['refunds'][number];

const backBefore = (payment: Paid | undefined, before: ReadonlySet<Refund>): number =>
  (payment?.refunds ?? []).reduce((sum, refund) => sum + (before.has(refund) ? refund.amount : 0), 0);

/** The refunds that came before the last payment; null where none, or only some of one, would. */
function givenBack(payments: readonly Paid[], total: number, isPaid: boolean): ReadonlySet<Refund> | null {
  const refunds = payments.flatMap((payment) => payment.refunds).sort((a, b) => a.at - b.at);
  if (!isPaid) return new Set(refunds);
  let room = payments.reduce((sum, { amount }) => sum + amount, 0) - total;
  const before = new Set<Refund>();
  for (const refund of refunds) {
    if (room <= 0) break;
    before.add(refund);
    room -= refund.amount;
  }
  return room === 0 || (room < 0 && before.size === 0) ? before : null;
}
