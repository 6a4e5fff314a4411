import type { ListChange } from '../realtime/frames.ts';
import { compare, type Order, type Row, shows } from './order.ts';

/**
 * The rows after a change of their list. To apply again what they hold already changes nothing, so a frame may reach back
 * behind them. Pure.
 */
export function changed<R extends Row>(rows: readonly R[], change: ListChange<R>, order: Order): readonly R[] {
  if (change.changed) return rows;
  const gone = new Set(change.leave);
  const next = rows.filter(({ id }) => !gone.has(id));
  for (const row of [...change.update, ...change.enter]) {
    const at = next.findIndex(({ id }) => id === row.id);
    // Without its sort fields it is told only where its place stays the same.
    if (at >= 0 && !shows(order, row)) next[at] = row;
    else {
      if (at >= 0) next.splice(at, 1);
      const before = next.findIndex((other) => compare(order, row, other) < 0);
      next.splice(before < 0 ? next.length : before, 0, row);
    }
  }
  return next;
}
