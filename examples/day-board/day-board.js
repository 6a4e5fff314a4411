import { createClient, inStorage } from '@clientsplus/client';
import { browserStorage, openLive } from '@clientsplus/client/live';
import { openBooking } from './booking.js';
import { at, behindSignIn, element, say } from './page.js';

const asked = new URLSearchParams(location.search);
const date = asked.get('date') ?? new Date().toLocaleDateString('sv');
const client = createClient({ url: asked.get('api') ?? 'http://127.0.0.1:8787', keep: inStorage(localStorage) });
const live = openLive(client, { storage: browserStorage() });

/** A branch's day: whatever changes anywhere, it is what GET would answer. */
function showDay(branch) {
  at('branch').textContent = branch.name;
  const day = live.list(`/appointments?branchId=${branch.id}&date=${date}&sort=startsAt&limit=100`);
  const [staff, services] = [live.list('/staff?limit=100'), live.list('/services?limit=100')];
  const offer = openBooking(client, { branch, date, day, staff, services });
  const show = () => {
    const who = new Map(staff.getSnapshot().data.map((row) => [row.id, row.name]));
    const row = ({ localStart, services: [part], staffId, status }) =>
      element('li', { className: status }, localStart.slice(11), part.name, who.get(staffId) ?? '', status);
    at('board').replaceChildren(...day.getSnapshot().data.map(row));
    say(day);
    offer();
  };
  for (const list of [day, staff, services]) list.subscribe(show);
  show();
}

at('date').textContent = date;
navigator.serviceWorker?.register('sw.js');
behindSignIn(client, () => {
  const branches = live.list('/branches?sort=name&limit=1');
  const stop = branches.subscribe(() => {
    const [branch] = branches.getSnapshot().data;
    say(branches);
    if (branch === undefined) return;
    stop();
    showDay(branch);
  });
});
