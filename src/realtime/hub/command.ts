import { type Command, type Correlation, LARGEST_FRAME, type ListRequest, MOST_QUERIES } from './protocol.ts';

/** What a client sent: a command, or why it is none. `id` is what an error echoes, where the frame had one. */
export type Reading =
  | { command: Command }
  | { fault: 'too_large' | 'bad_frame'; id: Correlation | null; message: string };

const LONGEST_NAME = 100;
const LONGEST_PATH = 2000;

/** Reads one frame of a client. Never throws. */
export function readCommand(frame: string | ArrayBuffer): Reading {
  if (typeof frame !== 'string') return bad('Frames are JSON text.');
  // A character is one byte at least, so most frames need no encoding to be measured.
  if (frame.length > LARGEST_FRAME || byteLength(frame) > LARGEST_FRAME)
    return { fault: 'too_large', id: null, message: `A frame has at most ${LARGEST_FRAME} bytes.` };
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return bad('Not JSON.');
  }
  if (!isRecord(value)) return bad('Not a JSON object.');
  const id = isCorrelation(value.id) ? value.id : null;
  const command = commandOf(value, id);
  return typeof command === 'string' ? bad(command, id) : { command };
}

/** @returns the command, or what is wrong with it */
function commandOf(value: Record<string, unknown>, id: Correlation | null): Command | string {
  switch (value.type) {
    case 'ping':
      return { type: 'ping' };
    case 'ack':
      return isRevision(value.revision) ? { type: 'ack', revision: value.revision } : 'revision: must be a revision.';
    case 'signal':
      if (!isName(value.topic)) return 'topic: must be a text.';
      return { type: 'signal', topic: value.topic, data: value.data ?? null };
    case 'presence':
      return { type: 'presence', state: value.state ?? null };
    case 'refresh':
      if (id === null) return 'id: must be a text or a number.';
      return typeof value.ticket === 'string'
        ? { type: 'refresh', id, ticket: value.ticket }
        : 'ticket: must be a text.';
    case 'subscribe':
      return id === null ? 'id: must be a text or a number.' : subscribeOf(value, id);
    default:
      return 'type: must be subscribe, ack, signal, presence, refresh or ping.';
  }
}

function subscribeOf(value: Record<string, unknown>, id: Correlation): Command | string {
  const { companyId, topics = null, queries = [], resume = null } = value;
  if (!isName(companyId)) return 'companyId: must be a text.';
  // However many and whatever they say: a frame is bounded, and what is no topic is left out.
  if (topics !== null && !isListOf(topics, isText)) return 'topics: must be a list of texts.';
  if (!(isListOf(queries, isListRequest) && queries.length <= MOST_QUERIES))
    return `queries: must be at most ${MOST_QUERIES} of {id, path}.`;
  if (new Set(queries.map((query) => query.id)).size < queries.length) return 'queries: two have the same id.';
  if (resume === null) return { type: 'subscribe', id, companyId, topics, queries, resume };
  if (!isRecord(resume) || !isName(resume.epoch) || !isRevision(resume.revision))
    return 'resume: must be {epoch, revision}.';
  const { epoch, revision } = resume;
  return { type: 'subscribe', id, companyId, topics, queries, resume: { epoch, revision } };
}

const bad = (message: string, id: Correlation | null = null): Reading => ({ fault: 'bad_frame', id, message });

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).byteLength;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown): value is string => isText(value) && value.length > 0 && value.length <= LONGEST_NAME;
const isRevision = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCorrelation = (value: unknown): value is Correlation =>
  typeof value === 'number' || (typeof value === 'string' && value.length <= LONGEST_NAME);
const isListRequest = (value: unknown): value is ListRequest =>
  isRecord(value) && isCorrelation(value.id) && typeof value.path === 'string' && value.path.length <= LONGEST_PATH;
const isListOf = <T>(value: unknown, is: (item: unknown) => item is T): value is T[] =>
  Array.isArray(value) && value.every(is);
