import { describe, expect, test } from 'vitest';
import { addMember, createUser, patiently, person } from '../../support/accounts.ts';
import { PASSWORD } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { ownWorld } from '../../support/shared.ts';

const world = await ownWorld({ LOGIN_LIMIT: '2' });
const salon = await openCompany(world);

/** Spellings that JavaScript and a database may fold differently, or that one of the two cuts. */
const spellings = (email: string): string[] => [
  `${email.slice(0, 3)}\0${email.slice(3)}`,
  `${email}\0`,
  email.replace('e', '\u0435'),
  email.replace(/.$/, (last) => String.fromCharCode((last.codePointAt(0) ?? 0) + 0xfee0)),
  email.replace('example', 'exampl\u0130'),
  email.replace('example', 'exam\u212Ale'),
];

describe('an address has one spelling', () => {
  test('no other one gets around the lock of an account, nor to its mailbox', async () => {
    const login = (email: string, password: string) =>
      patiently(() => world.api.post('/auth/login', { email, password }));
    for (const password of ['wrong password 1', 'wrong password 2'])
      expectProblem(await login(salon.email, password), 'invalid_credentials');
    expectProblem(await login(salon.email, PASSWORD), 'rate_limited');
    for (const same of [salon.email.toUpperCase(), ` ${salon.email}\n`, `\u00a0${salon.email}\u3000`])
      expectProblem(await login(same, PASSWORD), 'rate_limited');
    for (const other of spellings(salon.email)) {
      expect(expectProblem(await login(other, PASSWORD), 'invalid_body')).toMatchObject([{ pointer: '/email' }]);
      expectProblem(await world.api.post('/auth/password/forgot', { email: other }), 'invalid_body');
    }
  });

  test('nor is one stored: not by sign-up, API or SQL', async () => {
    for (const email of spellings('person@example.com')) {
      expectProblem(await salon.api.post('/users', { ...person('STAFF'), email }), 'invalid_body');
      const user = { name: 'x', email, password: PASSWORD };
      const company = { name: 'x', currency: 'EUR', timeZone: 'Europe/Vienna' };
      expectProblem(await world.api.post('/auth/signup', { company, user }), 'invalid_body');
    }
    await expect(
      world.sql(`update users set email = 'v\u0130ctim@example.com' where email = $1`, [salon.email], 'cp_owner'),
    ).rejects.toThrow(/users_email_ascii/);
  });
});

describe('an address that is taken', () => {
  test('is free again once its user is archived: for others, for a sign-up; not for the one restored', async () => {
    const body = person('STAFF');
    const id = String((await salon.api.post('/users', body)).json.id);
    await salon.api.delete(`/users/${id}`);
    const owner = await patiently(() =>
      world.api.post('/auth/signup', {
        company: { name: 'Rightful', currency: 'EUR', timeZone: 'Europe/Vienna' },
        user: { name: 'Owner', email: body.email.toUpperCase(), password: PASSWORD },
      }),
    );
    expect(owner.status, owner.text).toBe(201);
    expect(expectProblem(await salon.api.post(`/users/${id}/restore`), 'email_taken')).toMatchObject([
      { pointer: '/email' },
    ]);
    const login = await patiently(() => world.api.post('/auth/login', { email: body.email, password: PASSWORD }));
    expect(login.json).toMatchObject({ company: { name: 'Rightful' } });
  });

  test('is told to a company twenty times an hour, one after another or at once', async () => {
    const other = await openCompany(world);
    const ask = async (email: string) => {
      const reply = await other.api.post('/users', { ...person('STAFF'), email });
      return reply.status === 409 ? expectProblem(reply, 'email_taken').length : reply.status;
    };
    const taken = async (times: number) =>
      (await Promise.all(Array.from({ length: times }, () => ask(salon.email)))).filter((each) => each === 1).length;
    let told = 0;
    for (let i = 0; i < 5; i += 1) told += await taken(1);
    expect(told).toBe(5);
    told += await taken(40);
    for (let i = 0; i < 20; i += 1) told += await taken(1);
    expect(told).toBe(20);
    // Then nothing is told: not of an address that is free either.
    expect(await ask('surely-free@example.com')).toBe(429);
    const { id } = await addMember(world, other, 'STAFF');
    expectProblem(await other.api.patch(`/users/${id}`, { email: salon.email }), 'rate_limited');
    // What names no address goes on, and so do others.
    expect((await other.api.patch(`/users/${id}`, { name: 'Renamed' })).status).toBe(200);
    await createUser(salon.api, 'STAFF');
  });
});
