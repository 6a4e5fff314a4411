import { addKey, addMember, createUser, MEMBER_PASSWORD, patiently, person } from '../../support/accounts.ts';
import type { Api, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { ownWorld } from '../../support/shared.ts';
import { type Attack, from, tally, tryAll } from './attack.ts';

// The attacks of the security review on signing in and on rights once more, against the usual budgets. What a fault of one of
// them looks like in detail is held by the suites of accounts.

const world = await ownWorld({ RATE_LIMIT_PER_MINUTE: '1000' });
const victim = await openCompany(world);
const anyone = (): Api => world.api.as(null);
const login = (email: string, password: string, address: string): Promise<Reply> =>
  anyone().post('/auth/login', { email, password }, from(address));
const patientLogin = (email: string, password: string, address: string) =>
  patiently(() => login(email, password, address));

const attacks: Attack[] = [
  {
    name: 'C1',
    attack: 'the right password in 14 spellings of a locked address',
    before: '14 × 401 or 200: each a counter of its own',
    async run() {
      const { email, password } = await openCompany(world);
      for (let i = 0; i < 10; i += 1) await patientLogin(email, `guess ${i}`, '192.0.2.1');
      const spelled = Array.from({ length: 14 }, (_, i) => `${email.slice(0, i + 1)}\0${email.slice(i + 1)}`);
      const replies = [];
      for (const each of spelled) replies.push(await login(each, password, '192.0.2.1'));
      const locked = await login(email.toUpperCase(), password, '192.0.2.1');
      return {
        after: `${tally(replies)}; as usual ${locked.status}`,
        held: replies.every((r) => r.status === 422) && locked.status === 429,
      };
    },
  },
  {
    name: 'C2',
    attack: 'an ADMIN uses an invitation made before the invited became OWNER',
    before: '200, role OWNER',
    async run() {
      const admin = await addMember(world, victim, 'ADMIN');
      const id = await createUser(victim.api, 'MANAGER');
      const { token } = (await admin.api.post(`/users/${id}/invite`)).json;
      await victim.api.patch(`/users/${id}`, { role: 'OWNER' });
      const used = await patiently(() =>
        anyone().post('/auth/password/reset', { token, newPassword: MEMBER_PASSWORD }, from('192.0.2.2')),
      );
      return { after: `${used.status} ${used.json.code}`, held: used.status === 410 };
    },
  },
  {
    name: 'C3',
    attack: '300 bad refreshes from 300 addresses of one /64',
    before: '300 × 401',
    async run() {
      const replies = [];
      for (let i = 0; i < 300; i += 1) {
        const address = i % 2 === 0 ? `2001:db8::${i.toString(16)}` : `2001:0DB8:0:0:${i.toString(16)}::1`;
        replies.push(await anyone().post('/auth/refresh', { refreshToken: 'x' }, from(address)));
      }
      return { after: tally(replies), held: replies.filter((r) => r.status === 401).length === 100 };
    },
  },
  {
    name: 'C4',
    attack: 'four loops of sign-ins to one’s own account, three of new users with passwords; others sign in',
    before: '16 of 25 and 16 of 20 × 503',
    async run() {
      const own = await openCompany(world);
      const others = await Promise.all(Array.from({ length: 10 }, () => openCompany(world)));
      let going = true;
      const loop = async (ask: () => Promise<Reply>): Promise<void> => {
        while (going) await ask();
      };
      const loops = [
        ...[1, 2, 3, 4].map(() => loop(() => login(own.email, own.password, '192.0.2.4'))),
        ...[1, 2, 3].map(() => loop(() => own.api.post('/users', person('STAFF', { password: MEMBER_PASSWORD })))),
      ];
      const replies = [];
      for (const { email, password } of others) replies.push(await login(email, password, '192.0.2.5'));
      going = false;
      await Promise.all(loops);
      // Where a derivation takes half a second, some of ten may wait for too long: of all who ask at once they are a seventh.
      return { after: tally(replies), held: replies.filter((r) => r.status === 200).length >= 4 };
    },
  },
  {
    name: 'C7',
    attack: 'somebody’s address: taken, archived; then 40 look-ups of one that exists',
    before: '409 for the owner for ever; 300 told in 11 s',
    async run() {
      const squatter = await openCompany(world);
      const body = person('STAFF');
      await squatter.api.delete(`/users/${(await squatter.api.post('/users', body)).json.id}`);
      const user = { name: 'Owner', email: body.email, password: MEMBER_PASSWORD };
      const company = { name: 'x', currency: 'EUR', timeZone: 'Europe/Vienna' };
      const owner = await patiently(() => anyone().post('/auth/signup', { company, user }, from('192.0.2.7')));
      const looks = [];
      for (let i = 0; i < 40; i += 1)
        looks.push(await squatter.api.patch(`/users/${squatter.userId}`, { email: victim.email }));
      const told = looks.filter((r) => r.status === 409).length;
      return { after: `${owner.status} for the owner; ${tally(looks)}`, held: owner.status === 201 && told === 20 };
    },
  },
  {
    name: 'C8',
    attack: 'one session refreshed again and again',
    before: '1,049 in 12 s, 1,050 rows kept',
    async run() {
      let { refreshToken } = await addMember(world, victim, 'STAFF');
      const first = refreshToken;
      const replies = [];
      for (let i = 0; i < 70; i += 1) {
        const reply = await anyone().post('/auth/refresh', { refreshToken }, from('192.0.2.8'));
        replies.push(reply);
        if (reply.status === 200) refreshToken = String(reply.json.refreshToken);
      }
      const [row] = await world.sql<{ n: number }>(
        `select count(*)::int n from refresh_tokens where session_id in (select session_id from refresh_tokens where hash = sha256(convert_to($1, 'UTF8')))`,
        [first],
      );
      return {
        after: `${tally(replies)}, ${row?.n} rows`,
        held: (row?.n ?? 999) <= 101 && replies.at(-1)?.status === 429,
      };
    },
  },
  {
    name: 'C9',
    attack: '26 wrong passwords while 56 loops ask /health/ready and Redis is late',
    before: '26 × 401',
    async run() {
      const { email } = await openCompany(world);
      let going = true;
      const loops = Array.from({ length: 56 }, async () => {
        while (going) await anyone().get('/health/ready');
      });
      world.upstash.setFault('slow');
      const replies = [];
      for (let i = 0; i < 26; i += 1) replies.push(await patientLogin(email, `guess ${i}`, '192.0.2.9'));
      world.upstash.setFault(null);
      going = false;
      await Promise.all(loops);
      return { after: tally(replies), held: replies.filter((r) => r.status === 401).length === 10 };
    },
  },
  {
    name: 'C10',
    attack: 'ten wrong passwords from elsewhere; then the owner signs in',
    before: '429 for the owner',
    async run() {
      const { email, password } = await openCompany(world);
      const wrong = [];
      for (let i = 0; i < 11; i += 1) wrong.push(await patientLogin(email, `guess ${i}`, '192.0.2.10'));
      const owner = await patientLogin(email, password, '192.0.2.110');
      return { after: `${tally(wrong)}; ${owner.status} for the owner`, held: owner.status === 200 };
    },
  },
  {
    name: 'C11',
    attack: 'a key with users:write alone makes a MANAGER with a password',
    before: '201, and signs in as that user',
    async run() {
      const key = await addKey(victim.api, ['users:write']);
      const replies = [
        await key.api.post('/users', person('MANAGER', { password: MEMBER_PASSWORD })),
        await key.api.post('/users', person('MANAGER')),
      ];
      return { after: tally(replies), held: replies.every((r) => r.status === 403) };
    },
  },
  {
    name: 'C12',
    attack: 'an archived ADMIN restores himself with a key of his',
    before: '200',
    async run() {
      const leaver = await addMember(world, victim, 'ADMIN');
      const key = await addKey(leaver.api, ['users:write', 'admin']);
      await victim.api.delete(`/users/${leaver.id}`);
      const reply = await key.api.post(`/users/${leaver.id}/restore`);
      return { after: `${reply.status} ${reply.json.code}`, held: reply.status === 401 };
    },
  },
];

tryAll(attacks);
