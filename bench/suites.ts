import { connectors } from './connectors/connectors.suite.ts';
import { core } from './core/core.suite.ts';
import { doors } from './doors/doors.suite.ts';
import { faults } from './faults/faults.suite.ts';
import { growth } from './growth/growth.suite.ts';
import { reconciliation } from './reconciliation/reconciliation.suite.ts';
import type { Suite } from './harness/suite.ts';
import { runtime } from './runtime/runtime.suite.ts';
import { statements } from './statements/statements.suite.ts';

/** Every suite by its name; the first is what `npm run bench` runs. */
export const suites: readonly [Suite, ...Suite[]] = [
  core,
  doors,
  growth,
  faults,
  connectors,
  runtime,
  statements,
  reconciliation,
];
