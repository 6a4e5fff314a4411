import { shareOf, WeighedMap } from '../data/weighed.ts';
import { type AvailabilityQuestion, type Swept, sweep } from './sweep.ts';
import { weightOfSweep } from './weights.ts';

// What was swept for a question, by staff member, so that after a booking only those are swept whose time it takes.

type KnownSweep = Pick<AvailabilityQuestion, 'branch' | 'timeOff'> & {
  /** Of what they are busy with: as it was, of each resource. */
  resources: readonly (readonly number[] | undefined)[];
  staff: ReadonlyMap<string, Swept>;
};

/** By what was asked. What is compared by identity is never changed. */
const sweeps = new WeighedMap<KnownSweep>(shareOf('sweeps'));

/**
 * The sweep of a question whose catalogue and lists come from what the isolate knows (known.ts): parts that are the same
 * object are the same.
 * @param name of all in the question that is neither catalogue nor calendar nor step
 */
export function sweptOf(name: string, question: AvailabilityQuestion): ReadonlyMap<string, Swept> {
  const { branch, timeOff, busy } = question;
  const resources = question.resources.map(({ id }) => busy.get(id));
  const before = sweeps.get(name);
  // Both are made with each catalogue that is read.
  const stands =
    before !== undefined &&
    before.branch === branch &&
    before.timeOff === timeOff &&
    resources.every((list, i) => list === before.resources[i]);
  const staff = sweep(question, (id) => {
    const found = stands ? before.staff.get(id) : undefined;
    return found?.busy === busy.get(id) ? found : undefined;
  });
  sweeps.set(name, { branch, timeOff, resources, staff }, weightOfSweep(staff));
  return staff;
}
