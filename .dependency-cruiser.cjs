const { readdirSync, statSync } = require('node:fs');

/**
 * Imports point one way: core ← data ← http ← resources ← contexts ← app ← index (docs/architecture.md). Types count: who
 * needs to know a type of another floor depends on it.
 */
const floors = {
  core: [],
  data: ['core', 'settings.ts'],
  http: ['core', 'data', 'settings.ts', 'env.ts'],
  resources: ['core', 'data', 'http', 'settings.ts'],
  realtime: ['core', 'data', 'settings.ts', 'env.ts'],
  jobs: ['core', 'data', 'settings.ts', 'env.ts'],
  dispatch: ['core', 'data', 'settings.ts', 'env.ts'],
  pages: ['core', 'http', 'env.ts'],
  monitoring: ['core', 'data', 'http', 'resources', 'settings.ts', 'env.ts'],
};
const folders = readdirSync('src').filter((name) => statSync(`src/${name}`).isDirectory());
const contexts = folders.filter((name) => !(name in floors));
for (const name of Object.keys(floors)) if (!folders.includes(name)) throw new Error(`src/${name} does not exist`);
/** What contexts may import from one another: tables, views and pure rules. */
const shared = ['table\\.ts$', 'resource\\.ts$', 'permissions\\.ts$', 'rules\\.ts$'];

/** What a folder may import from src besides itself. */
const layer = (from, to) => ({
  name: `${from}-imports-${to.join('-or-') || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/${from}/`, ...to.map((name) => `^src/${name}${name.endsWith('.ts') ? '$' : '/'}`)],
  },
});

module.exports = {
  forbidden: [
    // In test/support fixtures and what fires them name each other's types.
    { name: 'no-circular', severity: 'error', from: { path: '^(src|local|bench|client)/' }, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: 'table\\.ts$' }, to: {} },
    ...Object.entries(floors).map(([name, to]) => layer(name, to)),
    ...contexts.map((name) =>
      layer(name, [
        'core',
        'data',
        'http',
        'resources',
        'settings.ts',
        'env.ts',
        ...contexts.filter((other) => other !== name),
      ]),
    ),
    ...contexts.map((name) => ({
      name: `${name}-shares-tables-views-and-rules`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: { path: `^src/(${contexts.filter((other) => other !== name).join('|')})/`, pathNot: shared },
    })),
    { name: 'src-runs-in-workers', severity: 'error', from: { path: '^src/' }, to: { path: '^(local|test|bench)/' } },
    { name: 'client-stands-alone', severity: 'error', from: { path: '^client/src/' }, to: { pathNot: '^client/src/' } },
    { name: 'nothing-needs-client', severity: 'error', from: { pathNot: '^client/' }, to: { path: '^client/' } },
    {
      name: 'bench-needs-no-test',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^test/', pathNot: '^test/support/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
