import { createClient, inStorage } from '@clientsplus/client';
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
  const show = () => {
    const { data, status } = day.getSnapshot();
    const [people, offers] = [staff, services].map((list) => list.getSnapshot().data);
    const who = new Map(people.map((row) => [row.id, row.name]));
    const row = ({ localStart, services: [part], staffId, status: state }) =>
      element('li', { className: state }, localStart.slice(11), part.name, who.get(staffId) ?? '', state);
    at('board').replaceChildren(...data.map(row));
    Object.assign(at('status'), { textContent: status, className: status });
    choose('staff', people);
    choose('service', offers);
  };
  for (const list of [day, staff, services]) list.subscribe(show);
  onSubmit('book', ({ time, service, staff: person }) => {
    const booking = { branchId: branch.id, staffId: person.value, localStart: `${date}T${time.value}` };
    const part = { name: service.selectedOptions[0].text };
    const body = { ...booking, services: [{ serviceId: service.value }], status: 'CONFIRMED' };
    return day.optimistic(
      (rows) => [...rows, { ...booking, id: 'draft', services: [part], status: 'BOOKING' }],
      () => client.request('post', '/appointments', { body }),
    );
  });
  show();
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
  if (select.options.length !== rows.length) select.replaceChildren(...rows.map((row) => new Option(row.name, row.id)));
}
function onSubmit(id, run) {
  const said = at(id).querySelector('[role=alert]');
  at(id).addEventListener('submit', (event) => {
    event.preventDefault();
    said.textContent = '';
    run(event.target.elements).catch((error) => {
      said.textContent = error.message;
    });
  });
}
