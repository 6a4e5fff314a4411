// What any page needs around a list that is live: signing in, elements, words for how things stand.

export const at = (id) => document.getElementById(id);

/** An element of text cells. */
export function element(name, members, ...cells) {
  const made = Object.assign(document.createElement(name), members);
  made.append(...cells.map((text) => Object.assign(document.createElement('span'), { textContent: text })));
  return made;
}

/** Offers these objects in a select, and keeps what was chosen as long as it is among them. */
export function choose(select, rows) {
  const [had, wanted] = [[...select.options].map(({ value }) => value), rows.map(({ id }) => id)];
  if (had.join() === wanted.join()) return;
  const { value } = select;
  select.replaceChildren(...rows.map((row) => new Option(row.name, row.id, false, row.id === value)));
}

/** @param more what is said besides the error's own message */
export function onSubmit(form, run, more = () => '') {
  const said = form.querySelector('[role=alert]');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    said.textContent = '';
    run(form.elements).catch((error) => {
      said.textContent = error.message + more(error);
    });
  });
}

/** How a list stands, and why where it is refused. */
export function say(list) {
  const { status, error } = list.getSnapshot();
  const why = status === 'failed' ? `: ${error.message}` : '';
  Object.assign(at('status'), { textContent: `${status}${why}`, className: status });
}

/** Shows the form for signing in, or what is behind it. */
export function behindSignIn(client, show) {
  const start = () => {
    const isSignedIn = client.session.current !== null;
    at('sign-in').hidden = isSignedIn;
    at('day').hidden = !isSignedIn;
    if (isSignedIn) show();
  };
  onSubmit(at('sign-in'), async ({ email, password }) => {
    await client.signIn({ email: email.value, password: password.value });
    start();
  });
  at('sign-out').addEventListener('click', () => client.signOut().then(() => location.reload()));
  start();
}
