import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { admit } from '../../data/admit.ts';
import { anchored } from '../../data/ctx.ts';
import type { Row } from '../../data/log.ts';
import { admissionOf } from '../../http/admission.ts';
import type { Authenticator } from '../../http/authenticate.ts';
import { type AppContext, type Principal, principalOf } from '../../http/context.ts';
import { routesBelow } from '../../http/route.ts';
import { send, sendJson } from '../../http/send.ts';
import { bodyValidator } from '../../http/validated.ts';
import { read, TTL } from '../../resources/read.ts';
import { readBody } from '../../resources/read-body.ts';
import { keyPrincipal } from '../api-keys/principal.ts';
import { KEY_PREFIX } from '../api-keys/secret.ts';
import { company } from '../company/resource.ts';
import { user } from '../users/resource.ts';
import { UserView } from '../users/schema.ts';
import { userPrincipal } from './principal.ts';
import { changePassword, forgotPassword, resetPassword } from './recovery.ts';
import { logout, refresh } from './refresh.ts';
import {
  ForgottenPassword,
  Login,
  Logout,
  Me,
  PasswordChange,
  PasswordReset,
  Refresh,
  SignedIn,
  SignUp,
} from './schema.ts';
import { loadKeys, publicJwks, recallAccess, verifyAccess } from './tokens.ts';
import { login, signUp } from './verbs.ts';

/** Bearer credentials of every kind; hot, so a verified token is remembered by `verifyAccess`. */
export const identify: Authenticator = (c, token) => {
  const { ctx, deps } = c.env;
  const { settings } = deps;
  if (token.startsWith(KEY_PREFIX)) return keyPrincipal(c, token);
  const claims = recallAccess(settings.jwtPrivateKey, settings.jwtPublicKeys, token, ctx.startedAt);
  return claims === null ? identifyAnew(c, token) : userPrincipal(claims, deps);
};

async function identifyAnew(c: AppContext, token: string): Promise<Principal> {
  const { ctx, deps } = c.env;
  const { settings } = deps;
  const keys = await loadKeys(settings.jwtPrivateKey, settings.jwtPublicKeys);
  return userPrincipal(await verifyAccess(keys, token, ctx.now()), deps);
}

const SECRET = { 'Cache-Control': 'no-store' };

const bodies = {
  signUp: bodyValidator(SignUp),
  login: bodyValidator(Login),
  refresh: bodyValidator(Refresh),
  logout: bodyValidator(Logout),
  passwordChange: bodyValidator(PasswordChange),
  forgottenPassword: bodyValidator(ForgottenPassword),
  passwordReset: bodyValidator(PasswordReset),
};

/**
 * What a verb about the caller's own session was sent. 401 and 429 come before whatever is wrong with it; that the
 * session lives is asked where the work is done.
 */
async function ownBody(c: AppContext): Promise<unknown> {
  await admit(c.env, admissionOf(c, { permission: null, weight: 1 }, 'write'));
  const body = await readBody(c);
  // 403 comes before 422.
  if (principalOf(c).userId === null) throw new AppError('forbidden', 'An API key has no session and no password.');
  return body;
}

/** GET /auth/me: the user and company of the token. Keys have no user. */
const me = read({
  name: 'auth.me',
  version: 1,
  permission: null,
  scope: ({ userId }) => userId ?? 'key',
  ttl: TTL.user,
  parse(params, { userId }) {
    const [name] = params.keys();
    if (name !== undefined)
      throw new AppError('unknown_parameter', 'This takes no query parameters.', {
        faults: [{ parameter: name, code: 'unknown_parameter', detail: 'This takes no query parameters.' }],
      });
    if (userId === null) throw new AppError('forbidden', 'An API key is no user.');
    return { normalised: userId, userId };
  },
  tags: ({ userId }) => [`users/${userId}`, 'company'],
  statements: ({ userId }, { companyId }) => [
    sql<{
      user: Row;
      company: Row;
    }>`select to_jsonb(users) as "user", to_jsonb(companies) as company from users join companies on companies.id = users.company_id
      where users.company_id = ${companyId}::uuid and users.id = ${userId}::uuid`,
  ],
  answer([[row]]) {
    if (row === undefined) throw new AppError('session_revoked');
    return {
      body: JSON.stringify({
        user: user.view(row.user, user.version),
        company: company.view(row.company, company.version),
      }),
    };
  },
});

export const signInRoutes = routesBelow(['auth'], () => [
  {
    method: 'post',
    path: '/auth/signup',
    tag: 'Sign-in',
    summary: 'Create a company and its owner',
    description: 'The owner is signed in at once. At most 20 sign-ups of an address in an hour.',
    anonymous: true,
    body: SignUp,
    success: { status: 201, schema: SignedIn, description: 'The company, its owner and their tokens' },
    errors: ['signup_closed', 'email_taken', 'rate_limited'],
    async handler(c: AppContext) {
      const value = await readBody(c);
      // 403 comes before 422.
      if (c.env.deps.settings.signup === 'closed') throw new AppError('signup_closed');
      const { body, revision } = await signUp(c, await bodies.signUp(c, value));
      return sendJson(c, 201, body, {
        headers: { ...SECRET, Location: '/api/v1/company', Revision: String(revision) },
      });
    },
  },
  {
    method: 'post',
    path: '/auth/login',
    tag: 'Sign-in',
    summary: 'Sign in with e-mail and password',
    description: 'Too many failures of an account or an address are refused for a while, right passwords too.',
    anonymous: true,
    body: Login,
    success: { status: 200, schema: SignedIn, description: 'The company, the user and their tokens' },
    errors: ['invalid_credentials', 'rate_limited'],
    async handler(c: AppContext) {
      const input = await bodies.login(c, await readBody(c));
      const { body, revision } = await anchored(c.env.ctx, () => login(c, input));
      return sendJson(c, 200, body, { headers: { ...SECRET, Revision: String(revision) } });
    },
  },
  {
    method: 'post',
    path: '/auth/refresh',
    tag: 'Sign-in',
    summary: 'Exchange a refresh token for a new pair',
    description:
      'Each refresh token works once. The one before, sent again within ten seconds, is refused and nothing else happens; any older one ends the session.',
    anonymous: true,
    body: Refresh,
    success: { status: 200, schema: SignedIn, description: 'The company, the user and their new tokens' },
    errors: ['invalid_refresh_token', 'rate_limited'],
    async handler(c: AppContext) {
      const input = await bodies.refresh(c, await readBody(c));
      const { body, revision } = await anchored(c.env.ctx, () => refresh(c, input));
      return sendJson(c, 200, body, { headers: { ...SECRET, Revision: String(revision) } });
    },
  },
  {
    method: 'post',
    path: '/auth/logout',
    tag: 'Sign-in',
    summary: 'End the session',
    description:
      'Writes with its tokens end at once, reads within a minute. Again is as good. A refresh token ends its own session too; one that is not of the same user changes nothing.',
    body: Logout,
    optionalBody: true,
    success: { status: 204, schema: null, description: 'The session has ended' },
    ignoresKey: true,
    errors: ['forbidden'],
    async handler(c: AppContext) {
      const body = await ownBody(c);
      await logout(c, await bodies.logout(c, body === undefined ? {} : body));
      return send(c, { status: 204, body: null, headers: SECRET });
    },
  },
  {
    method: 'post',
    path: '/auth/password',
    tag: 'Sign-in',
    summary: 'Change the own password',
    description: 'Ends all other sessions of the user.',
    body: PasswordChange,
    success: { status: 200, schema: UserView, description: 'The user' },
    ignoresKey: true,
    errors: ['invalid_credentials', 'session_revoked', 'forbidden', 'conflict'],
    async handler(c: AppContext) {
      const input = await bodies.passwordChange(c, await ownBody(c));
      const user = await anchored(c.env.ctx, () => changePassword(c, input));
      return sendJson(c, 200, user, { headers: SECRET });
    },
  },
  {
    method: 'post',
    path: '/auth/password/forgot',
    tag: 'Sign-in',
    summary: 'Ask for a recovery link',
    description: 'Answers the same whether or not anybody has this address. The link is valid for one hour.',
    anonymous: true,
    body: ForgottenPassword,
    // Whatever asks the database happens behind the answer.
    awaitsDatabase: false,
    success: { status: 202, schema: null, description: 'If somebody has this address, a mail is on its way' },
    errors: ['rate_limited'],
    async handler(c: AppContext) {
      await forgotPassword(c, await bodies.forgottenPassword(c, await readBody(c)));
      return send(c, { status: 202, body: null, headers: SECRET });
    },
  },
  {
    method: 'post',
    path: '/auth/password/reset',
    tag: 'Sign-in',
    summary: 'Set a password with a recovery link or an invitation',
    description: 'The token works once. All sessions of the user end.',
    anonymous: true,
    body: PasswordReset,
    success: { status: 200, schema: UserView, description: 'The user, who may now sign in' },
    errors: ['invalid_link', 'rate_limited'],
    async handler(c: AppContext) {
      const input = await bodies.passwordReset(c, await readBody(c));
      const user = await anchored(c.env.ctx, () => resetPassword(c, input));
      return sendJson(c, 200, user, { headers: SECRET });
    },
  },
  {
    method: 'get',
    path: '/auth/me',
    tag: 'Sign-in',
    summary: 'Who the token belongs to',
    description: 'Of a signed-in user; an API key is none.',
    success: { status: 200, schema: Me, description: 'The user and the company', cached: true },
    errors: ['forbidden'],
    handler: me,
  },
]);

/** GET /.well-known/jwks.json (RFC 7517): the keys that verify our access tokens. */
export async function jwks(c: AppContext): Promise<Response> {
  const { settings } = c.env.deps;
  const keys = await loadKeys(settings.jwtPrivateKey, settings.jwtPublicKeys);
  return sendJson(c, 200, publicJwks(keys), { headers: { 'Cache-Control': 'public, max-age=300' } });
}
