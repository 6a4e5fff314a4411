/** Imports point one way: core ← data ← http ← resources ← contexts ← app ← index (docs/architecture.md). */
const contexts = ['account', 'people', 'catalog', 'calendar', 'billing', 'insight'];

/** What a layer may import from src besides itself. */
const layer = (from, to) => ({
  name: `${from}-imports-${to.join('-or-') || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/${from}/`, ...to.map((name) => `^src/${name}`)],
    dependencyTypesNot: ['type-only'],
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: 'table\\.ts$' }, to: {} },
    layer('core', []),
    layer('data', ['core', 'env.ts']),
    layer('http', ['core', 'data', 'env.ts']),
    layer('resources', ['core', 'data', 'http', 'env.ts']),
    layer('realtime', ['core', 'data', 'env.ts']),
    layer('jobs', ['core', 'data', 'env.ts']),
    layer('pages', ['core', 'http', 'env.ts']),
    layer('monitoring', ['core', 'data', 'http', 'resources', 'env.ts']),
    ...contexts.map((name) =>
      layer(name, ['core', 'data', 'http', 'resources', 'env.ts', ...contexts.filter((other) => other !== name)]),
    ),
    ...contexts.map((name) => ({
      name: `${name}-shares-tables-views-and-permissions`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: {
        path: `^src/(${contexts.filter((other) => other !== name).join('|')})/`,
        pathNot: ['table\\.ts$', 'permissions\\.ts$', 'rules\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    })),
    { name: 'src-runs-in-workers', severity: 'error', from: { path: '^src/' }, to: { path: '^(local|test|bench)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types cross layers freely: they leave no import behind.
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
