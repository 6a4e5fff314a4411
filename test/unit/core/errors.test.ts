import { describe, expect, it } from 'vitest';
import { AppError, ERROR_CODES, type ErrorCode } from '../../../src/core/errors.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe('ERROR_CODES', () => {
  it.each<[ErrorCode, number]>([
    ['malformed_json', 400],
    ['invalid_parameter', 400],
    ['use_cursor', 400],
    ['revision_ahead', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['signup_closed', 403],
    ['not_found', 404],
    ['method_not_allowed', 405],
    ['slot_taken', 409],
    ['outside_working_hours', 409],
    ['illegal_transition', 409],
    ['exceeds_balance', 409],
    ['exceeds_paid', 409],
    ['epoch_changed', 409],
    ['window_exceeded', 410],
    ['version_mismatch', 412],
    ['payload_too_large', 413],
    ['unsupported_media_type', 415],
    ['unknown_reference', 422],
    ['idempotency_key_reused', 422],
    ['nonexistent_local_time', 422],
    ['ambiguous_local_time', 422],
    ['negative_total', 422],
    ['rate_limited', 429],
    ['busy', 503],
  ])('%s is %i', (code, status) => expect(ERROR_CODES[code].status).toBe(status));

  it('has one 500 only', () => {
    expect(codes.filter((code) => ERROR_CODES[code].status >= 500 && ERROR_CODES[code].status !== 503)).toEqual([
      'internal_error',
    ]);
  });

  it('answers no status that the contract does not name', () => {
    const named = [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 429, 500, 503];
    expect(codes.filter((code) => !named.includes(ERROR_CODES[code].status))).toEqual([]);
  });

  it('is snake_case with distinct titles', () => {
    expect(codes.filter((code) => !/^[a-z]+(_[a-z]+)*$/.test(code))).toEqual([]);
    expect(new Set(codes.map((code) => ERROR_CODES[code].title)).size).toBe(codes.length);
  });
});

describe('AppError', () => {
  it('says its title when no detail is given', () => {
    const error = new AppError('slot_taken');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'AppError', code: 'slot_taken', message: 'The time is already booked' });
    expect(error.faults).toEqual([]);
    expect(error.extra).toEqual({});
    expect('cause' in error).toBe(false);
  });

  it('carries detail, faults, extra members and the cause', () => {
    const cause = new Error('23P01');
    const faults = [{ pointer: '/startsAt', code: 'overlap', detail: 'Taken.' }];
    const error = new AppError('slot_taken', 'Busy until ten.', { faults, extra: { allowed: [] }, cause });
    expect(error).toMatchObject({ message: 'Busy until ten.', faults, extra: { allowed: [] }, cause });
  });
});
