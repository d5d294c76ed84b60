/** The import rules of docs/architecture.md, "The rooms". `test/import-rules` holds a deliberate violation of them. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { path: '^(src|eventstore|bench|test|ops|sdk|examples)/', pathNot: [from, ...allowed] },
});

/** What a module of the business is made of. */
const moduleGround = ['^src/actors/', '^src/projections/', '^src/machines/', '^src/kernel/', '^eventstore/'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('eventstore-knows-nothing-of-payments', '^eventstore/', []),
    only('kernel-imports-nothing', '^src/kernel/', []),
    only('machines-are-pure', '^src/machines/', ['^src/kernel/']),
    only('actors-run-machines', '^src/actors/', ['^src/machines/', '^src/kernel/', '^eventstore/']),
    only('projections-fold-facts', '^src/projections/', ['^src/machines/', '^src/kernel/', '^eventstore/']),
    only('platform-is-below-the-product', '^src/platform/', ['^src/kernel/', '^eventstore/']),
    only('checkpoints-know-the-log', '^src/signed-checkpoints/', ['^src/platform/', '^src/kernel/', '^eventstore/']),
    only('ledger-knows-no-other-module', '^src/ledger/', moduleGround),
    only('payments-ask-the-ledger', '^src/payments/', [...moduleGround, '^src/ledger/index\\.ts$']),
    only('the-cluster-knows-no-business', '^src/cluster/', []),
    only('identity-knows-nothing-of-money', '^src/identity/', ['^src/kernel/']),
    only('statements-are-only-read', '^src/statements/', ['^src/kernel/']),
    only('connectors-decide-nothing', '^src/connectors/', [
      '^src/statements/index\\.ts$',
      '^src/kernel/',
      '^eventstore/',
    ]),
    only('reconciliation-knows-no-core', '^src/reconciliation/', ['^src/kernel/', '^eventstore/']),
    only('webhooks-tell-what-the-log-says', '^src/webhooks/', ['^src/machines/', '^src/kernel/', '^eventstore/']),
    {
      name: 'modules-have-one-face',
      severity: 'error',
      from: { path: '^src/([^/]+)' },
      to: {
        path: '^src/(ledger|payments|identity|connectors|webhooks|statements|reconciliation)/',
        pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'],
      },
    },
    only('doors-do-not-know-each-other', '^src/gateway/([^/]+)/', [
      '^src/gateway/$1/',
      '^src/gateway/[^/]+\\.ts$',
      '^src/(ledger|payments|identity|connectors|webhooks|statements|reconciliation)/index\\.ts$',
      '^src/actors/',
      '^src/machines/',
      '^src/kernel/',
      '^src/platform/',
      '^eventstore/',
    ]),
    only('observability-only-looks', '^src/observability/', [
      '^src/gateway/door-observer\\.ts$',
      '^src/actors/',
      '^src/projections/',
      '^src/machines/',
      '^src/kernel/',
      '^src/platform/',
      '^eventstore/',
    ]),
    only('the-client-stands-alone', '^sdk/', []),
    {
      name: 'the-client-runs-in-browsers',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-no-pkg', 'unknown'] },
    },
    {
      name: 'machines-do-no-io',
      severity: 'error',
      from: { path: '^src/(machines|kernel)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'statements-do-no-io',
      severity: 'error',
      from: { path: '^src/statements/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'machines-know-only-xstate',
      severity: 'error',
      from: { path: '^src/(machines|kernel)/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules', pathNot: 'node_modules/xstate' },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^(src|eventstore)/', pathNot: '(\\.test\\.ts$)|/testing/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(src/gateway/rpc/gen|bench/node_modules)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts'],
    },
  },
};
