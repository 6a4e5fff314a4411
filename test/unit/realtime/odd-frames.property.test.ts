import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListRoom } from './list-room.ts';
import { COMPANY } from './list-world.ts';

// Whatever a client says, the room answers it and goes on.

const deep = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, '', 0, -1, 1.5, 1e300, Number.MAX_SAFE_INTEGER, [], {}, '\ud800', '\u0000', 'x'.repeat(101)),
);
const path = fc.oneof(
  fc.constantFrom(
    ...['/clients', '/clients?', '/clients?%', '/clients?search=%E0%A4%A', '/clients?sort=-', '/clients?limit=1e9'],
    ...['/clients?limit=-1', '/clients?cursor=x', '/clients?fields=', '/clients?fields=__proto__', '/clients?offset=1'],
    ...[
      '/clients?search[]=a&search[]=b',
      '/clients?status=__proto__',
      '/__proto__',
      '//',
      '',
      '?',
      '/clients/../users',
    ],
    ...['/appointments?from=9999999999999&to=x', '/appointments?date=0000-00-00&branchId=%00', '/clients#x'],
    ...['/api/v1/clients', '/api/v1/api/v1/clients', '/clients/%ff/notes', `/clients?search=${'a'.repeat(1900)}`],
    ...['/appointments?from=-271821-04-20T00:00:00Z&to=+275760-09-13T00:00:00Z', '/clients?sort=constructor'],
  ),
  fc
    .tuple(fc.constantFrom('/clients', '/appointments'), fc.string({ maxLength: 40 }))
    .map(([of, query]) => `${of}?${query}`),
);
const request = fc.record({
  id: fc.oneof(fc.nat(3), odd),
  path: fc.oneof({ weight: 6, arbitrary: path }, { weight: 1, arbitrary: odd }),
});
const frame = fc.oneof(
  { weight: 2, arbitrary: odd.map((value) => JSON.stringify(value)) },
  {
    weight: 6,
    arbitrary: fc
      .record(
        {
          type: fc.constant('subscribe'),
          id: fc.oneof(fc.nat(9), odd),
          companyId: fc.oneof({ weight: 9, arbitrary: fc.constant(COMPANY) }, { weight: 1, arbitrary: odd }),
          topics: fc.oneof(fc.constant(['clients']), fc.array(fc.string(), { maxLength: 3 }), odd),
          queries: fc.oneof(
            { weight: 6, arbitrary: fc.array(request, { maxLength: 4 }) },
            { weight: 1, arbitrary: odd },
          ),
          resume: fc.oneof(fc.record({ epoch: fc.string(), revision: fc.nat() }), odd),
        },
        { requiredKeys: ['type', 'id', 'companyId'] },
      )
      .map((value) => JSON.stringify(value)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        type: fc.constantFrom('presence', 'signal', 'refresh', 'ack', '__proto__'),
        id: odd,
        topic: odd,
        data: odd,
        state: odd,
        revision: odd,
        ticket: odd,
      })
      .map((value) => JSON.stringify(value)),
  },
  fc.constantFrom(
    ...['', ' ', '{', '[]', 'null', '"x"', '1e999', '{"type":"subscribe","id":1e999,"companyId":"x"}'],
    `{"type":"presence","state":${deep('[', ']', 500)}}`,
    `{"type":"signal","topic":"clients","data":${deep('[', ']', 4000)}}`,
    `{"type":"presence","state":${deep('{"a":', '}', 1).replace(':}', ':1}')}}`,
    `{"type":"presence","state":${deep('[', ']', 4000)}}`,
    '{"type":"subscribe","type":"ping"}',
    '{"__proto__":{"type":"ping"}}',
    `{"type":"presence","state":"${'\\ud83d'.repeat(160)}"}`,
  ),
);

test('frames of every odd shape are answered, none is left without a word and none ends the room', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
      const room = new ListRoom();
      const other = room.follow(['/clients']);
      await other.subscribe();
      const one = room.follow([]);
      for (const text of frames) {
        const before = one.frames.length;
        const work = room.world.hub.hub.hear(one.socket, text);
        await room.answers();
        await work;
        const isSilent = /"type":"(signal|ack|presence)"/.test(text) || !one.socket.isOpen;
        if (!isSilent) expect([text, one.frames.length]).not.toEqual([text, before]);
      }
      await room.put(1, { firstName: 'Told' });
      expect(other.lists().length).toBe(1);
    }),
    { numRuns: 500 },
  );
});
