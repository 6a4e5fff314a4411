import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { currency, password, text, timeZone } from '../../http/schemas.ts';
import { CompanyView } from '../company/schema.ts';
import { typedEmail, userEmail } from '../email.ts';
import { UserView } from '../users/schema.ts';

export const SignUp = lazy(() =>
  z
    .strictObject({
      company: z.strictObject({ name: text(), currency: currency(), timeZone: timeZone() }),
      user: z.strictObject({ name: text(), email: userEmail(), password: password() }),
    })
    .meta({
      id: 'SignUp',
      examples: [
        {
          company: { name: 'Salon Huber', currency: 'EUR', timeZone: 'Europe/Vienna' },
          user: { name: 'Anna Huber', email: 'anna@example.com', password: 'correct horse battery' },
        },
      ],
    }),
);

// A password that could never be right is wrong, not malformed: the answer must not tell what a valid one looks like.
export const Login = lazy(() =>
  z
    .strictObject({ email: typedEmail(), password: z.string().max(1024) })
    .meta({ id: 'Login', examples: [{ email: 'anna@example.com', password: 'correct horse battery' }] }),
);

export const SignedIn = lazy(() =>
  z
    .object({
      company: CompanyView(),
      user: UserView(),
      accessToken: z
        .string()
        .meta({ description: 'Send it as Authorization: Bearer.', examples: ['eyJhbGciOiJFUzI1NiJ9.…'] }),
      refreshToken: z.string().meta({ description: 'Works once, for a new pair.', examples: ['cpr_…'] }),
      tokenType: z.literal('Bearer'),
      expiresIn: z.int().meta({ description: 'Seconds until the access token expires.', examples: [600] }),
    })
    .meta({ id: 'SignedIn' }),
);

export const Refresh = lazy(() =>
  z
    // Room for an access token, which is as wrong here as any other.
    .strictObject({ refreshToken: z.string().max(4096) })
    .meta({ id: 'Refresh', examples: [{ refreshToken: 'cpr_…' }] }),
);

export const Logout = lazy(() =>
  z
    .strictObject({
      refreshToken: Refresh()
        .shape.refreshToken.optional()
        .describe('Its session ends too, if it is of the same user.'),
    })
    .meta({ id: 'Logout', examples: [{ refreshToken: 'cpr_…' }] }),
);

export const PasswordChange = lazy(() =>
  z.strictObject({ currentPassword: z.string().max(1024), newPassword: password() }).meta({
    id: 'PasswordChange',
    examples: [{ currentPassword: 'correct horse battery', newPassword: 'staple battery horse' }],
  }),
);

// Any text: whether an address could exist is nobody's business here either.
export const ForgottenPassword = lazy(() =>
  z.strictObject({ email: typedEmail() }).meta({ id: 'ForgottenPassword', examples: [{ email: 'anna@example.com' }] }),
);

export const PasswordReset = lazy(() =>
  z
    .strictObject({ token: z.string().max(256), newPassword: password() })
    .meta({ id: 'PasswordReset', examples: [{ token: 'cpl_…', newPassword: 'staple battery horse' }] }),
);

export const Me = lazy(() => z.object({ user: UserView(), company: CompanyView() }).meta({ id: 'Me' }));
