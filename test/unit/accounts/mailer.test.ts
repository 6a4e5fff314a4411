import { expect, test, vi } from 'vitest';
import { sendRecovery } from '../../../src/account/sign-in/mailer.ts';
import { makeCtx } from '../../../src/data/ctx.ts';
import type { Settings } from '../../../src/settings.ts';

test('where nobody mails, a recovery token is printed so that a quiet terminal shows it too', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  const settings = { mailer: null, databaseUrl: 'postgres://cp_app@127.0.0.1/x' } as Settings;
  const mail = { email: 'a@example.com', name: 'A', token: 'cpl_token', expiresAt: '2026-11-26T12:00:00.000Z' };
  await sendRecovery(
    makeCtx('req', () => undefined),
    settings,
    mail,
  );
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('cpl_token'));
});
