import { styleText } from 'node:util';

/** What the printer needs of places in sources. */
export interface Sources {
  translate(frame: string): string;
  excerpt(frame: string): string[] | undefined;
}

export interface Format {
  /** One JSON line per line of the Worker, for programs. */
  json: boolean;
  color: boolean;
}

interface Told {
  name: string;
  message: string;
  frames: string[];
  cause?: Told;
}

type Line = Record<string, unknown>;
type Style = Parameters<typeof styleText>[0];

/** What the Worker logged as a terminal shows it; null for lines that are nobody's news. */
export function formatLog(message: string, { json, color }: Format, sources: Sources, now: Date): string | null {
  const line = parse(message);
  if (json) return line === undefined ? message : JSON.stringify(translated(line, sources));
  const paint = (style: Style, text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const time = paint('dim', now.toTimeString().slice(0, 8));
  if (line === undefined) return sources.translate(message);
  if (isTold(line.fault)) return faultText(line, line.fault, paint, sources, time);
  if (typeof line.method === 'string' && typeof line.status === 'number') return requestText(line, paint, time);
  // The cron sweeps every minute; it is news when it finds something.
  if (line.level === 'info' && line.job === 'sweep' && line.behind === 0) return null;
  const { level, requestId: _, ...rest } = line;
  const text = Object.entries(rest).map(([name, value]) => `${name} ${plain(value)}`);
  return `${time}  ${paint(level === 'info' ? 'dim' : 'yellow', text.join('  '))}`;
}

function requestText(line: Line, paint: (style: Style, text: string) => string, time: string): string {
  const { method, route, status, ms, trips, code, path, entity, requestId, ...rest } = line;
  const colour = Number(status) >= 500 ? 'red' : Number(status) >= 400 ? 'yellow' : 'green';
  const target = path === undefined ? plain(route) : `${plain(path)} (no such route)`;
  const parts = [
    time,
    plain(method).padEnd(6),
    paint(colour, plain(status)),
    `${plain(ms)} ms`.padStart(8),
    target,
    tripsText(trips) === '' ? '' : paint('dim', tripsText(trips)),
  ];
  if (code !== undefined) parts.push(paint(colour, plain(code)));
  if (entity !== undefined) parts.push(plain(entity));
  const { level: _level, company: _company, actor: _actor, ...notes } = rest;
  for (const [name, value] of Object.entries(notes)) parts.push(`${name} ${plain(value)}`);
  if (Number(status) >= 500) parts.push(plain(requestId));
  return parts.filter((part) => part !== '').join('  ');
}

/** `redis 1 db 2`; nothing for an answer that asked nobody. */
function tripsText(trips: unknown): string {
  if (typeof trips !== 'object' || trips === null) return '';
  const names: Record<string, string> = { postgres: 'db' };
  const asked = Object.entries(trips).filter(([, count]) => Number(count) > 0);
  return asked.map(([name, count]) => `${names[name] ?? name} ${count}`).join(' ');
}

function faultText(
  line: Line,
  fault: Told,
  paint: (style: Style, text: string) => string,
  sources: Sources,
  time: string,
): string {
  const lines = [`${time}  ${paint('red', headline(fault))}  ${paint('dim', plain(line.requestId))}`];
  for (let told: Told | undefined = fault; told !== undefined; told = told.cause) {
    if (told !== fault) lines.push(`  caused by ${paint('red', headline(told))}`);
    // Frames of the bundler's own making are nobody's code.
    const all = told.frames.map((frame) => sources.translate(frame)).filter((frame) => !frame.includes('.wrangler'));
    const frames = told === fault ? all : all.slice(0, 3);
    const own = frames.find((frame) => sources.excerpt(frame) !== undefined);
    for (const frame of frames) {
      lines.push(`    ${frame === own ? frame : paint('dim', frame)}`);
      if (frame === own) lines.push(...(sources.excerpt(frame) ?? []).map((text) => `      ${paint('cyan', text)}`));
    }
  }
  return lines.join('\n');
}

/** The same line with its places in our sources. */
function translated(line: Line, sources: Sources): Line {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value))
      return value.map((each) => (typeof each === 'string' ? sources.translate(each) : walk(each)));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each)]));
  };
  return walk(line) as Line;
}

function parse(message: string): Line | undefined {
  if (!message.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && 'frames' in value && Array.isArray(value.frames);
}

const headline = ({ name, message }: Told): string =>
  message
    .split('\n')
    .map(plain)
    .reduce((text, line) => `${text}\n      ${line}`, `${plain(name)}:`)
    .replace('\n      ', ' ');

/** Text for a terminal: what came from outside may not steer it. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not pass
  return (text ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, '\u00b7');
}
