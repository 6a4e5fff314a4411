// The page at `/dashboard`: what /health/performance and /health/history tell, every few seconds.

import { at, call, isSignedIn, onEnd, onSubmit, signedIn, signOut } from './session.js';

/** How often it asks, ms: figures, and histories, which move by minutes. */
const EVERY = 5000;
const HISTORY_EVERY = 30_000;
/** How far back plots reach, by window. @type {Record<string, number>} hours */
const REACH = { '5m': 1, '1h': 6, '6h': 24, '24h': 48 };

/** @typedef {{ metric: string, label: string, unit?: string }} Figure */

/** The six of the first row. @type {Figure[]} */
const FIGURES = [
  { metric: 'totalRequests', label: 'Requests' },
  { metric: 'averageResponseTime', label: 'Average response', unit: 'ms' },
  { metric: 'cacheHitRate', label: 'Cache hit rate', unit: '%' },
  { metric: 'errorRate', label: 'Error rate', unit: '%' },
  { metric: 'databaseQueriesPerSecond', label: 'Database queries', unit: '/s' },
  { metric: 'activeConnections', label: 'Active connections' },
];
/** @type {Figure[]} */
const PLOTS = [
  { metric: 'requestsPerSecond', label: 'Requests', unit: '/s' },
  { metric: 'averageResponseTime', label: 'Average response', unit: 'ms' },
  { metric: 'p95ResponseTime', label: '95 % within', unit: 'ms' },
  { metric: 'cacheHitRate', label: 'Cache hit rate', unit: '%' },
  { metric: 'errorRate', label: 'Error rate', unit: '%' },
  { metric: 'databaseQueriesPerSecond', label: 'Database queries', unit: '/s' },
  { metric: 'averageQueryTime', label: 'Average query', unit: 'ms' },
  { metric: 'activeConnections', label: 'Active connections' },
];

/** @param {number | null | undefined} value */
const text = (value) =>
  value == null ? '–' : value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });
/** @param {number | null | undefined} value @param {string} [unit] */
const withUnit = (value, unit) => (value == null || unit === undefined ? text(value) : `${text(value)} ${unit}`);

/** @param {string} tag @param {string} [content] @param {...Node} children */
function element(tag, content, ...children) {
  const made = document.createElement(tag);
  if (content !== undefined) made.textContent = content;
  made.append(...children);
  return made;
}

/** @param {Record<string, number | null>} metrics */
function showFigures(metrics) {
  const known = FIGURES.filter(({ metric }) => metric in metrics);
  at('figures').replaceChildren(
    ...known.map(({ metric, label, unit }) => {
      const value = element('strong', text(metrics[metric]));
      if (unit !== undefined && metrics[metric] != null) value.append(element('small', unit));
      return element('li', undefined, element('span', label), value);
    }),
  );
}

/** @param {string} id @param {[string, string][]} rows */
function showRows(id, rows) {
  at(id).replaceChildren(
    ...rows.map(([name, value]) => element('div', undefined, element('dt', name), element('dd', value))),
  );
  const none = document.getElementById(`${id}-none`);
  if (none !== null) none.hidden = rows.length > 0;
}

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [300, 100];

/** @param {string} tag @param {Record<string, string | number>} attributes */
function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * A line that breaks where nothing is known; a point between two gaps is a dot.
 * @param {Figure} figure @param {{ at: string, value: number | null }[]} points
 */
function plot({ label, unit }, points) {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const most = Math.max(unit === '%' ? 1 : 0, ...values);
  const path = points
    .map(({ value }, index) => {
      if (value === null) return '';
      const x = points.length < 2 ? 0 : (index / (points.length - 1)) * WIDTH;
      const y = HEIGHT - (most === 0 ? 0 : (value / most) * HEIGHT);
      const before = index > 0 ? points[index - 1]?.value : null;
      return `${before == null ? `M${x.toFixed(1)} ${y.toFixed(1)}h.01` : ''}L${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
  const last = values.at(-1);
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  drawing.setAttribute(
    'aria-label',
    `${label}: ${values.length === 0 ? 'nothing known' : `${withUnit(last, unit)} last, ${withUnit(most, unit)} at most`}`,
  );
  for (const y of [0, HEIGHT]) drawing.append(svg('line', { x1: 0, x2: WIDTH, y1: y, y2: y }));
  if (path !== '') drawing.append(svg('path', { d: path }));
  const caption = element(
    'figcaption',
    label,
    element('span', values.length === 0 ? 'nothing known' : `up to ${withUnit(most, unit)}`),
  );
  const ends = element('div');
  ends.className = 'ends';
  ends.append(element('span', clock(points[0]?.at)), element('span', clock(points.at(-1)?.at)));
  return element('figure', undefined, caption, drawing, ends);
}

/** @param {string | undefined} instant */
const clock = (instant) =>
  instant === undefined ? '' : new Date(instant).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

const chosen = () => /** @type {HTMLSelectElement} */ (at('window')).value;

async function showHistories() {
  const to = new Date();
  const from = new Date(to.getTime() - (REACH[chosen()] ?? 1) * 3_600_000);
  const ends = `from=${from.toISOString()}&to=${to.toISOString()}`;
  const answers = await Promise.all(PLOTS.map(({ metric }) => call('GET', `/health/history?metric=${metric}&${ends}`)));
  const known = PLOTS.flatMap((figure, index) => {
    const { status, json } = answers[index] ?? { status: 0, json: null };
    return status === 200 ? [plot(figure, json.points)] : [];
  });
  at('plots').replaceChildren(...known);
}

async function showAlerts() {
  const { status, json } = await call('GET', '/alerts?limit=100');
  const rules = status === 200 ? json.data : [];
  at('alerts').replaceChildren(
    ...rules.map((/** @type {any} */ rule) => {
      const words = `${rule.metric} ${rule.comparison === 'ABOVE' ? '>' : '<'} ${rule.threshold} for ${rule.forMinutes} min`;
      const item = element(
        'li',
        undefined,
        element('div', undefined, element('strong', rule.name), element('span', words)),
      );
      item.append(element('span', rule.state));
      return item;
    }),
  );
  at('alerts-none').hidden = rules.length > 0;
}

/** @type {Record<string, string>} */
const WORDS = {
  healthy: 'Healthy',
  degraded: 'Degraded',
  unhealthy: 'Unhealthy',
  unknown: 'The monitor does not answer',
};

async function showNow() {
  try {
    const { status, json } = await call('GET', `/health/performance?window=${chosen()}`);
    if (status !== 200) throw new Error(json?.detail ?? 'no answer');
    at('dot').dataset.state = json.status;
    const since = json.from === undefined ? '' : ` · counted since ${new Date(json.from).toLocaleTimeString()}`;
    at('state-text').textContent = `${WORDS[json.status] ?? json.status}${since}`;
    showFigures(json.metrics);
    const { details } = json;
    at('details').hidden = details === undefined;
    at('not-admin').hidden = !isSignedIn() || details !== undefined;
    if (details === undefined) return false;
    showRows(
      'tiers',
      Object.entries(details.tiers)
        .filter(([, count]) => count !== 0)
        .map(([tier, count]) => [tier, text(Number(count))]),
    );
    showRows(
      'slow',
      details.slow.map((/** @type {any} */ each) => [
        each.name,
        `${text(each.count)} × up to ${text(each.longest)} ms`,
      ]),
    );
    showRows('rooms', [
      ['Companies with listeners', text(details.rooms)],
      ['WebSockets', text(json.metrics.activeConnections)],
      [
        'Redis',
        details.redis.trips === 0
          ? 'no trips'
          : `${text(details.redis.trips)} trips, ${withUnit(details.redis.averageTime, 'ms')}`,
      ],
      ['Postgres', `${withUnit(json.metrics.averageQueryTime, 'ms')} a query`],
      ['99 % of answers within', withUnit(json.metrics.p99ResponseTime, 'ms')],
      ['Refused requests (4xx)', text(details.clientErrors)],
    ]);
    at('absent').textContent = Object.values(json.absent ?? {}).join(' ');
    return true;
  } catch {
    at('dot').dataset.state = 'down';
    at('state-text').textContent = 'The API cannot be reached';
    return false;
  }
}

let drawnAt = 0;
async function refresh(again = false) {
  at('login').hidden = isSignedIn();
  at('logout').hidden = !isSignedIn();
  const all = await showNow();
  if (!all || (!again && Date.now() - drawnAt < HISTORY_EVERY)) return;
  drawnAt = Date.now();
  await Promise.all([showHistories(), showAlerts()]);
}

onSubmit('login', async (data, form) => {
  const { status, json } = await call('POST', '/auth/login', Object.fromEntries(data));
  if (status >= 300) return json;
  signedIn(json);
  form.reset();
  await refresh(true);
  return null;
});

at('logout').addEventListener('click', async () => {
  await signOut();
  await refresh(true);
});
at('window').addEventListener('change', () => refresh(true));
onEnd(() => refresh(true));

await refresh();
setInterval(() => document.visibilityState === 'visible' && refresh(), EVERY);
