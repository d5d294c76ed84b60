/** The face of Reconciliation: the ledger against what providers and banks report. docs/reconciliation.md. */
export { type Core, type CoreAnswer, CoreUnreachableError } from './effects/core.ts';
export { httpCore } from './effects/http-core.ts';
export type { FeedSource } from './feed/contract.ts';
export { httpSource } from './feed/http-source.ts';
export { defaultRules, defaultRulesDocument, readRules } from './matching/index.ts';
export { reconciliationMigrations } from './postgres/matching-store.ts';
export { reconcile } from './reconcile.ts';
