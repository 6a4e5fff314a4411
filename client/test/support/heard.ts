import { openStream, type Stream, type Wanted } from '../../src/index.ts';
import { type FakeRoom, room } from './fake-room.ts';

export type Heard = { messages: number[]; fresh: number[]; resumed: number[]; states: string[]; ended: unknown[] };

export function heardOf(stream: Stream): Heard {
  const heard: Heard = { messages: [], fresh: [], resumed: [], states: [], ended: [] };
  stream.on('message', ({ revision }) => heard.messages.push(revision));
  stream.on('fresh', ({ revision }) => heard.fresh.push(revision));
  stream.on('resumed', ({ revision }) => heard.resumed.push(revision));
  stream.on('state', (state) => heard.states.push(state));
  stream.on('ended', (end) => heard.ended.push(end));
  return heard;
}

/** A stream that is live at this revision, and what it told. */
export async function start(
  revision = 10,
  wanted: Wanted = {},
): Promise<{ fake: FakeRoom; stream: Stream; heard: Heard }> {
  const fake = await room();
  const stream = openStream(fake.client, wanted);
  const heard = heardOf(stream);
  await fake.live(revision);
  return { fake, stream, heard };
}
