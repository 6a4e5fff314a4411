import { defineConfig } from 'drizzle-kit';

// `npm run migrations` writes the tables; constraints, policies and triggers are added by hand (docs/architecture.md).
export default defineConfig({
  dialect: 'postgresql',
  schema: ['./src/**/table.ts', './src/data/tables.ts'],
  out: './migrations',
});
