import type { Config } from 'drizzle-kit';

// `npm run migrations` writes the tables; constraints, policies and triggers are added by hand (docs/architecture.md).
export default {
  dialect: 'postgresql',
  schema: ['./src/**/table.ts', './src/data/tables.ts'],
  out: './migrations',
} satisfies Config;
