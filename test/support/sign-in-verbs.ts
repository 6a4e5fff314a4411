import { addMember, MEMBER_PASSWORD, patiently, signIn } from './accounts.ts';
import type { Reply, Tenant } from './api.ts';
import type { World } from './world.ts';

const NEXT = 'the next password of mine';

/** Each verb of a sign-in done once by a user of the tenant's who is nobody else's concern: its name and its answer. */
export async function everySignInVerb(world: World, salon: Tenant): Promise<[name: string, reply: Reply][]> {
  const anyone = world.api;
  const member = await addMember(world, salon, 'STAFF');
  const done: [string, Reply][] = [];
  const add = async (name: string, ask: () => Promise<Reply>): Promise<Reply> => {
    const reply = await patiently(ask);
    done.push([name, reply]);
    return reply;
  };
  const { email } = member;
  await add('POST /auth/login', () => anyone.post('/auth/login', { email, password: MEMBER_PASSWORD }));
  await add('POST /auth/refresh', () => anyone.post('/auth/refresh', { refreshToken: member.refreshToken }));
  const change = { currentPassword: MEMBER_PASSWORD, newPassword: NEXT };
  await add('POST /auth/password', () => member.api.post('/auth/password', change));
  await add('POST /auth/password/forgot', () => anyone.post('/auth/password/forgot', { email }));
  const invited = await salon.api.post(`/users/${member.id}/invite`);
  const reset = { token: invited.json.token, newPassword: MEMBER_PASSWORD };
  await add('POST /auth/password/reset', () => anyone.post('/auth/password/reset', reset));
  const again = await signIn(anyone, email, MEMBER_PASSWORD);
  await add('POST /auth/logout', () => again.api.post('/auth/logout'));
  return done;
}
