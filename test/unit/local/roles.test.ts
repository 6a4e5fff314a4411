import { expect, test } from 'vitest';
import { withClient } from '../../../local/roles.ts';

test.each(['host', 'https://me:secret@host/database', ''])(
  '%s is no address of a Postgres, and is not repeated',
  async (url) => {
    const asked = withClient(url, async () => 'connected');
    await expect(asked).rejects.toThrow('a Postgres URL is like postgres://user:password@host/database');
  },
);
