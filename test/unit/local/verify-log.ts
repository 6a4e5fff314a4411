import type { Event, Verdict } from '../../../local/verify/log.ts';

/** Events in this order: of which object, and its state. */
export const logOf = (...states: [id: string, type: string, data: object][]): Event[] =>
  states.map(([entityId, type, data], i) => ({ revision: i + 1, type, entityId, data: data as Event['data'] }));

export const breaches = ({ breaches: found }: Verdict): number => found.length;
