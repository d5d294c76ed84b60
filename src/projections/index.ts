/** The face of projections: read models that are folded from the log. */
import { accountsProjection } from './accounts.projection.ts';
import { connectorStatesProjection } from './connector-states.projection.ts';
import { deadlinesProjection } from './deadlines.projection.ts';
import { instructionsProjection } from './instructions.projection.ts';
import { paymentsProjection } from './payments.projection.ts';
import { payoutsProjection } from './payouts.projection.ts';
import type { Projection } from './projection.ts';
import { trialBalanceProjection } from './trial-balance.projection.ts';

/** Every projection of the product. */
export const projections: readonly Projection[] = [
  accountsProjection,
  connectorStatesProjection,
  deadlinesProjection,
  instructionsProjection,
  paymentsProjection,
  payoutsProjection,
  trialBalanceProjection,
];

export { installProjections } from './postgres/tables.ts';
export type { Projection } from './projection.ts';
export { OutdatedProjectionError, runProjector } from './projector.ts';
export { ProjectionFault } from './batch.ts';
export * from './ledger-queries.ts';
export * from './queries.ts';
export { projectionLag, type ProjectionLag } from './lag.ts';
export { dropOldTables, RebuildBlockedError } from './postgres/swap-tables.ts';
export { retryProjection } from './postgres/checkpoints.ts';
export { projectionStates, type ProjectionState } from './states.ts';
export { rebuild, type RebuildReport } from './rebuild.ts';
export { verify, type VerifyReport } from './verify.ts';
export type { Finding } from './verify/finding.ts';
export type { TableDifferences } from './postgres/compare.ts';
