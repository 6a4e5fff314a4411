import { expect, test } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { NeonDbError } from '../../../src/data/neon.ts';
import { mayBeStored, writeFailure } from '../../../src/data/outcome.ts';
import { unavailable } from '../../../src/data/postgres.ts';
import { mapPostgresError } from '../../../src/data/postgres-errors.ts';

// What a caller may be told of a write that ended with an error. "Nothing was changed" must be true; in doubt it is not known.

const answer = (code: string | undefined, severity = 'ERROR', message = 'a message'): NeonDbError =>
  Object.assign(new NeonDbError(message), { code, severity });
const server = (status: number, body: string): NeonDbError =>
  new NeonDbError(`Server error (HTTP status ${status}): ${body}`);
const timeout = 'canceling statement due to statement timeout';

test.each([
  ['a backend that was told to end', answer('57P01', 'FATAL', 'terminating connection due to administrator command')],
  ['a crash of another backend', answer('57P02', 'WARNING')],
  ['a server that shuts down, once the proxy had a connection', answer('57P03', 'FATAL')],
  ['a statement cancelled by somebody', answer('57014', 'ERROR', 'canceling statement due to user request')],
  ['a statement cancelled, in words we do not know', answer('57014', 'ERROR', 'storniere Anfrage')],
  ['a connection that broke', answer('08006')],
  ['a proxy that cancelled it because its caller left', answer('08P01', undefined, 'Query cancelled')],
  ['completion unknown', answer('40003')],
  ['a backend that died of something else', answer('XX000', 'FATAL')],
  ['a server that could not write its log', answer('53100', 'PANIC')],
  ['the proxy’s connection broke: no state', answer(undefined)],
  ['the proxy’s connection broke: an empty state', answer('', '', 'connection closed')],
  ['a 500 without a word', server(500, '')],
  ['a 502 of something in between', server(502, '<html>Bad Gateway</html>')],
  ['a socket that was cut', new NeonDbError('Error connecting to database: Error: Network connection lost.')],
  ['an answer that is none', new SyntaxError('Unexpected token')],
])('%s leaves it open', (_, error) => {
  const mapped = mapPostgresError(error, {});
  expect(mapped).toMatchObject({ code: 'database_unavailable' });
  expect(mayBeStored(mapped)).toBe(true);
});

test.each([
  ['lock_timeout', answer('55P03'), 'busy'],
  ['statement_timeout of a statement', answer('57014', 'ERROR', timeout), 'busy'],
  ['no place left, with a state', answer('53300', 'FATAL'), 'busy'],
  ['no place left, as the proxy says it', server(500, '{"message":"sorry …","code":"53300"}'), 'busy'],
  ['a server that starts', server(500, '{"message":"the database …","code":"57P03"}'), 'database_unavailable'],
  ['too large an answer', server(507, '{"message":"response is too large"}'), 'internal_error'],
  ['serialization', answer('40001'), 'conflict'],
  ['a deadlock', answer('40P01'), 'conflict'],
  ['a constraint', answer('23505'), 'duplicate'],
  ['a fault of ours', answer('XX000'), 'internal_error'],
  ['a full disk', answer('53100'), 'internal_error'],
])('%s changed nothing', (_, error, code) => {
  const mapped = mapPostgresError(error, {});
  expect(mapped).toMatchObject({ code });
  expect(mayBeStored(mapped)).toBe(false);
});

test('a call the breaker held back changed nothing; a fault of ours after the commit leaves it open', () => {
  expect(mayBeStored(unavailable(undefined, false))).toBe(false);
  expect(mayBeStored(new TypeError('x'))).toBe(true);
});

test('what the caller is told names the way on', () => {
  const told = (cause: AppError, onward: 'keyed' | 'keyless' | 'signIn') => {
    const { code, message, extra } = writeFailure(cause, onward);
    return { code, message, outcome: extra.outcome };
  };
  const open = unavailable(answer('57P01', 'FATAL'));
  expect(told(open, 'keyed').message).toMatch(/not known.*same Idempotency-Key/);
  expect(told(open, 'keyless').message).toMatch(/not known.*Look before you repeat.*Idempotency-Key/);
  expect(told(open, 'keyed')).toMatchObject({ code: 'database_unavailable', outcome: 'unknown' });
  expect(told(unavailable(undefined, false), 'keyed')).toEqual({
    code: 'database_unavailable',
    message: 'The database cannot be reached. Nothing was changed; try again.',
    outcome: undefined,
  });
  expect(writeFailure(open, 'signIn')).toBeInstanceOf(AppError);
});
