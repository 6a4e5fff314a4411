import { ProblemError } from '@clientsplus/client';
import { at, choose, onSubmit } from './page.js';

/** Who offers a service: by their own list of services, or by terms that it has for them. */
const offerOf = (service, people) =>
  people.filter(
    ({ id, serviceIds }) => serviceIds.includes(service.id) || service.staff.some((term) => term.staffId === id),
  );

/** Offers what can be booked at a branch with those who work there. @returns has the offer follow the lists */
export function openBooking(client, { branch, date, day, staff, services }) {
  const form = at('book');
  const { service, staff: person } = form.elements;
  const offer = () => {
    const here = staff.getSnapshot().data.filter(({ branchIds }) => branchIds.includes(branch.id));
    const bookable = services.getSnapshot().data.filter((one) => offerOf(one, here).length > 0);
    choose(service, bookable);
    const chosen = bookable.find(({ id }) => id === service.value);
    choose(person, chosen === undefined ? [] : offerOf(chosen, here));
  };
  service.addEventListener('change', offer);
  const book = ({ time }) => {
    const booking = { branchId: branch.id, staffId: person.value, localStart: `${date}T${time.value}` };
    const part = { name: service.selectedOptions[0].text };
    const body = { ...booking, services: [{ serviceId: service.value }], status: 'CONFIRMED' };
    // On the board at once, and off it again should it be refused.
    return day.optimistic(
      (rows) => [...rows, { ...booking, id: 'draft', services: [part], status: 'BOOKING' }],
      () => client.request('post', '/appointments', { body }),
    );
  };
  onSubmit(form, book, (error) => freeNear(error, date, branch.timeZone));
  return offer;
}

/** What a refusal says is free near the time that was asked for, on the branch's clock. */
function freeNear(error, date, timeZone) {
  const near = error instanceof ProblemError ? (error.problem?.suggestions ?? []) : [];
  const times = near.map((instant) => new Date(instant).toLocaleString('sv', { timeZone }).slice(0, 16));
  const shown = times.map((text) => (text.startsWith(date) ? text.slice(11) : text));
  return shown.length === 0 ? '' : ` Free: ${shown.join(', ')}.`;
}
