import * as z from 'zod';
import { currency, password, text, timeZone } from '../../http/schemas.ts';
import { CompanyView } from '../company/resource.ts';
import { typedEmail, userEmail } from '../email.ts';
import { UserView } from '../users/noun.ts';

export const SignUp = z
  .strictObject({
    company: z.strictObject({ name: text(), currency: currency(), timeZone: timeZone() }),
    user: z.strictObject({ name: text(), email: userEmail(), password: password() }),
  })
  .meta({ id: 'SignUp' });

// A password that could never be right is wrong, not malformed: the answer must not tell what a valid one looks like.
export const Login = z.strictObject({ email: typedEmail(), password: z.string().max(1024) }).meta({ id: 'Login' });

export const SignedIn = z
  .object({
    company: CompanyView,
    user: UserView,
    accessToken: z.string(),
    refreshToken: z.string(),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().describe('Seconds until the access token expires.'),
  })
  .meta({ id: 'SignedIn' });

export const Refresh = z.strictObject({ refreshToken: z.string().max(256) }).meta({ id: 'Refresh' });

export const PasswordChange = z
  .strictObject({ currentPassword: z.string().max(1024), newPassword: password() })
  .meta({ id: 'PasswordChange' });

// Any text: whether an address could exist is nobody's business here either.
export const ForgottenPassword = z.strictObject({ email: typedEmail() }).meta({ id: 'ForgottenPassword' });

export const PasswordReset = z
  .strictObject({ token: z.string().max(256), newPassword: password() })
  .meta({ id: 'PasswordReset' });

export const Me = z.object({ user: UserView, company: CompanyView }).meta({ id: 'Me' });
