// The page at `/`.

import { API, at, call, isSignedIn, onEnd, onSubmit, signedIn, signOut } from './session.js';

const USUAL = new Set(['clients:read', 'catalog:read', 'appointments:read', 'events:read']);

/** @param {{ status: number, json: any }} answer */
async function enter({ status, json }) {
  if (status >= 300) return json;
  signedIn(json);
  at('company').textContent = json.company.name;
  at('company-id').textContent = json.company.id;
  at('user').textContent = `${json.user.name}, ${json.user.role.toLowerCase()}`;
  for (const form of document.querySelectorAll('form')) form.reset();
  show();
  await listKeys();
  return null;
}

function show() {
  at('signed-out').hidden = isSignedIn();
  at('signed-in').hidden = !isSignedIn();
  if (!isSignedIn()) at('secret').hidden = true;
}

async function listKeys() {
  const { status, json } = await call('GET', '/api-keys?limit=100');
  const rows = status === 200 ? json.data : [];
  at('keys').replaceChildren(...rows.map(keyRow));
  at('no-keys').hidden = rows.length > 0;
  at('no-keys').textContent = status === 403 ? 'Your role does not manage keys.' : 'None yet.';
  at('make-key').hidden = status === 403;
}

/** @param {{ id: string, name: string, scopes: string[], createdAt: string }} key */
function keyRow(key) {
  const item = document.createElement('li');
  const text = document.createElement('div');
  const name = document.createElement('strong');
  const more = document.createElement('span');
  const button = document.createElement('button');
  name.textContent = key.name;
  more.textContent = `${key.scopes.join(', ')} · since ${new Date(key.createdAt).toLocaleDateString()}`;
  Object.assign(button, { type: 'button', className: 'quiet', textContent: 'Revoke' });
  button.setAttribute('aria-label', `Revoke ${key.name}`);
  button.addEventListener('click', async () => {
    if (!confirm(`Revoke "${key.name}"? Programs that use it stop at once.`)) return;
    button.disabled = true;
    await call('DELETE', `/api-keys/${key.id}`);
    await listKeys();
  });
  text.append(name, more);
  item.append(text, button);
  return item;
}

async function showState() {
  let state = 'down';
  let text = 'The API cannot be reached';
  try {
    const health = await (await fetch(`${API}/health/ready`)).json();
    state = health.status ?? 'down';
    const parts = ['postgres', 'redis', 'rooms'].filter((name) => health[name] !== undefined);
    text = parts
      .map((name) => `${name} ${health[name].status === 'up' ? `${health[name].ms} ms` : 'down'}`)
      .join(' · ');
    text =
      parts.length > 0 ? `${state.charAt(0).toUpperCase()}${state.slice(1)} · ${text}` : (health.detail ?? 'Not ready');
  } catch {
    // What it says already is what there is to say.
  }
  /** @type {HTMLElement} */ (document.querySelector('.dot')).dataset.state = state;
  at('state-text').textContent = text;
}

onSubmit('login', async (data) => enter(await call('POST', '/auth/login', Object.fromEntries(data))));

onSubmit('signup', async (data) => {
  const text = (name) => String(data.get(name));
  const company = { name: text('company'), currency: text('currency').toUpperCase(), timeZone: text('timeZone') };
  const user = { name: text('name'), email: text('email'), password: text('password') };
  return enter(await call('POST', '/auth/signup', { company, user }));
});

onSubmit('make-key', async (data, form) => {
  const answer = await call('POST', '/api-keys', { name: data.get('name'), scopes: data.getAll('scopes') });
  if (answer.status !== 201) return answer.json;
  form.reset();
  at('secret-text').textContent = answer.json.secret;
  at('try').textContent =
    `curl ${location.origin}${API}/clients \\\n  -H "Authorization: Bearer ${answer.json.secret}"`;
  at('secret').hidden = false;
  at('secret').focus();
  await listKeys();
  return null;
});

at('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText(at('secret-text').textContent ?? '');
  at('copy').textContent = 'Copied';
  setTimeout(() => {
    at('copy').textContent = 'Copy';
  }, 1500);
});

at('logout').addEventListener('click', async () => {
  for (const id of ['secret-text', 'try']) at(id).textContent = '';
  await signOut();
  show();
});

onEnd(show);

for (const scope of (at('scopes').dataset.scopes ?? '').split(' ')) {
  const label = document.createElement('label');
  const box = document.createElement('input');
  Object.assign(box, { type: 'checkbox', name: 'scopes', value: scope, defaultChecked: USUAL.has(scope) });
  label.append(box, scope);
  at('scopes').append(label);
}

const zones = /** @type {HTMLSelectElement} */ (document.querySelector('select[name=timeZone]'));
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const zone of new Set([own, ...Intl.supportedValuesOf('timeZone')]))
  zones.add(new Option(zone, zone, zone === own));

await showState();
setInterval(() => document.visibilityState === 'visible' && showState(), 30_000);
