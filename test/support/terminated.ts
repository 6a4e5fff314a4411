import pg from 'pg';
import type { NeonRequest } from '../../local/neon.ts';

/** What a backend says that was told to end while its commit was flushed: after the commit. */
export const terminated = (): pg.DatabaseError =>
  Object.assign(new pg.DatabaseError('terminating connection due to administrator command', 0, 'error'), {
    code: '57P01',
    severity: 'FATAL',
  });

/** Whether a batch is one that writes. */
export const isWrite = ({ statements }: NeonRequest): boolean =>
  statements.some(({ query }) => query.includes('app.begin_write('));
