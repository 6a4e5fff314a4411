// Signing in, for the pages here. Everything goes through the public API; tokens live in a page's memory and end with it.

export const API = '/api/v1';

/** @type {{ access: string, refresh: string } | null} */
let session = null;

/** What a page does when its session has ended by itself. */
let ended = () => {};

/** @param {() => void} work */
export function onEnd(work) {
  ended = work;
}

export const isSignedIn = () => session !== null;

/** @param {{ accessToken: string, refreshToken: string }} json */
export function signedIn(json) {
  session = { access: json.accessToken, refresh: json.refreshToken };
}

export async function signOut() {
  await call('POST', '/auth/logout');
  session = null;
}

/** @param {string} id @returns {HTMLElement} */
export const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {string} method @param {string} path @param {unknown} [body]
 * @returns {Promise<{ status: number, json: any }>}
 */
export async function call(method, path, body, again = true) {
  const headers = { ...(session !== null && { Authorization: `Bearer ${session.access}` }) };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`${API}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const revision = answer.headers.get('Revision');
  const shown = document.getElementById('revision');
  if (revision !== null && shown !== null) shown.textContent = revision;
  const json = answer.status === 204 ? null : await answer.json();
  if (json?.code === 'token_expired' && session !== null && again && (await refresh())) {
    return call(method, path, body, false);
  }
  return { status: answer.status, json };
}

async function refresh() {
  const refreshToken = session?.refresh;
  session = null;
  const { status, json } = await call('POST', '/auth/refresh', { refreshToken }, false);
  if (status === 200) session = { access: json.accessToken, refresh: json.refreshToken };
  else ended();
  return status === 200;
}

/** @param {HTMLFormElement} form @param {any} problem what the API answered, or null */
function tell(form, problem) {
  const box = /** @type {HTMLElement} */ (form.querySelector('.notice'));
  box.hidden = problem === null;
  if (problem === null) return;
  box.textContent = problem.detail ?? problem.title;
  const faults = problem.errors ?? [];
  if (faults.length === 0) return;
  const list = document.createElement('ul');
  for (const { pointer, detail } of faults) {
    const item = document.createElement('li');
    const field = String(pointer ?? '')
      .split('/')
      .at(-1);
    item.textContent = field ? `${field}: ${detail}` : detail;
    list.append(item);
  }
  box.append(list);
}

/** @param {string} id @param {(data: FormData, form: HTMLFormElement) => Promise<any>} work answers a problem or null */
export function onSubmit(id, work) {
  const form = /** @type {HTMLFormElement} */ (at(id));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button[type=submit]'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    tell(form, null);
    try {
      tell(form, await work(new FormData(form), form));
    } catch {
      tell(form, { detail: 'The API cannot be reached. Try again in a moment.' });
    }
    button.disabled = false;
  });
}
