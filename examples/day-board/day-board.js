import { createClient, inStorage, ProblemError } from '@clientsplus/client';
import { browserStorage, openLive } from '@clientsplus/client/live';

const asked = new URLSearchParams(location.search);
const date = asked.get('date') ?? new Date().toLocaleDateString('sv');
const client = createClient({ url: asked.get('api') ?? 'http://127.0.0.1:8787', keep: inStorage(localStorage) });
const live = openLive(client, { storage: browserStorage() });

/** A branch's day: whatever changes anywhere, it is what GET would answer. */
function showDay(branch) {
  at('branch').textContent = branch.name;
  const day = live.list(`/appointments?branchId=${branch.id}&date=${date}&sort=startsAt&limit=100`);
  const [staff, services] = [live.list('/staff?limit=100'), live.list('/services?limit=100')];
  // Who works here, and of them who offers a service: by their own list of services, or by terms that it has for them.
  const offerOf = (service, all) =>
    all.filter(
      ({ id, serviceIds }) => serviceIds.includes(service.id) || service.staff.some((term) => term.staffId === id),
    );
  const show = () => {
    const { data } = day.getSnapshot();
    const [people, offers] = [staff, services].map((list) => list.getSnapshot().data);
    const who = new Map(people.map((row) => [row.id, row.name]));
    const row = ({ localStart, services: [part], staffId, status: state }) =>
      element('li', { className: state }, localStart.slice(11), part.name, who.get(staffId) ?? '', state);
    at('board').replaceChildren(...data.map(row));
    say(day);
    const here = people.filter(({ branchIds }) => branchIds.includes(branch.id));
    const bookable = offers.filter((service) => offerOf(service, here).length > 0);
    choose('service', bookable);
    const chosen = bookable.find(({ id }) => id === at('book').elements.service.value);
    choose('staff', chosen === undefined ? [] : offerOf(chosen, here));
  };
  for (const list of [day, staff, services]) list.subscribe(show);
  at('book').elements.service.addEventListener('change', show);
  onSubmit(
    'book',
    ({ time, service, staff: person }) => {
      const booking = { branchId: branch.id, staffId: person.value, localStart: `${date}T${time.value}` };
      const part = { name: service.selectedOptions[0].text };
      const body = { ...booking, services: [{ serviceId: service.value }], status: 'CONFIRMED' };
      return day.optimistic(
        (rows) => [...rows, { ...booking, id: 'draft', services: [part], status: 'BOOKING' }],
        () => client.request('post', '/appointments', { body }),
      );
    },
    (error) => freeNear(error, branch.timeZone),
  );
  show();
}

/** What a refusal says is free near the time that was asked for, on the branch's clock. */
function freeNear(error, timeZone) {
  const near = error instanceof ProblemError ? (error.problem?.suggestions ?? []) : [];
  const times = near.map((instant) => new Date(instant).toLocaleString('sv', { timeZone }).slice(0, 16));
  const shown = times.map((text) => (text.startsWith(date) ? text.slice(11) : text));
  return shown.length === 0 ? '' : ` Free: ${shown.join(', ')}.`;
}

/** How a list stands, and why where it is refused. */
function say(list) {
  const { status, error } = list.getSnapshot();
  const why = status === 'failed' ? `: ${error.message}` : '';
  Object.assign(at('status'), { textContent: `${status}${why}`, className: status });
}

function start() {
  const isSignedIn = client.session.current !== null;
  at('sign-in').hidden = isSignedIn;
  at('day').hidden = !isSignedIn;
  at('date').textContent = date;
  if (!isSignedIn) return;
  const branches = live.list('/branches?sort=name&limit=1');
  const stop = branches.subscribe(() => {
    const [branch] = branches.getSnapshot().data;
    say(branches);
    if (branch === undefined) return;
    stop();
    showDay(branch);
  });
}

onSubmit('sign-in', async ({ email, password }) => {
  await client.signIn({ email: email.value, password: password.value });
  start();
});
at('sign-out').addEventListener('click', () => client.signOut().then(() => location.reload()));
navigator.serviceWorker?.register('sw.js');
start();

function at(id) {
  return document.getElementById(id);
}
function element(name, members, ...cells) {
  const made = Object.assign(document.createElement(name), members);
  made.append(...cells.map((text) => Object.assign(document.createElement('span'), { textContent: text })));
  return made;
}
function choose(name, rows) {
  const select = at('book').elements.namedItem(name);
  const [had, wanted] = [[...select.options].map(({ value }) => value), rows.map(({ id }) => id)];
  if (had.join() === wanted.join()) return;
  const { value } = select;
  select.replaceChildren(...rows.map((row) => new Option(row.name, row.id, false, row.id === value)));
}
/** @param more what is said besides the error's own message */
function onSubmit(id, run, more = () => '') {
  const said = at(id).querySelector('[role=alert]');
  at(id).addEventListener('submit', (event) => {
    event.preventDefault();
    said.textContent = '';
    run(event.target.elements).catch((error) => {
      said.textContent = error.message + more(error);
    });
  });
}
