/** The face of Reconciliation: the ledger against what providers and banks report. docs/reconciliation.md. */
export {
  caseKinds,
  type CaseState,
  caseStates,
  correctingKinds,
  type Resolution,
  writeOffKinds,
} from './cases/case.facts.ts';
export type { Asker } from './cases/case-log.ts';
export { type CaseFigures, caseFigures } from './cases/case-figures.ts';
export { caseTermsOf } from './cases/case-terms.ts';
export type { CaseHistory, CaseView } from './cases/case-view.ts';
export { type CaseAnswer, type Cases, createCases } from './cases/cases.ts';
export { casesCsv } from './cases/csv.ts';
export type { CaseRefusal, CaseRefusalCode } from './cases/decide-case.ts';
export { keepCases } from './cases/keep-cases.ts';
export type { CaseCore } from './cases/ports.ts';
export { type CoreLink, coreLink, type CoreLinkOptions } from './core-link.ts';
export { type Core, type CoreAnswer, CoreUnreachableError } from './effects/core.ts';
export type { Finding } from './effects/finding.ts';
export { httpCore } from './effects/http-core.ts';
export { FeedLags } from './feed/feed-lags.ts';
export type { FeedSource } from './feed/contract.ts';
export { httpSource } from './feed/http-source.ts';
export { defaultRules, defaultRulesDocument, readRules } from './matching/index.ts';
export { checkRulesUsed } from './postgres/rules-used.ts';
export type { CaseFilter } from './postgres/case-store.ts';
export { postgresDecisions } from './postgres/decisions.ts';
export { reconciliationMigrations } from './postgres/matching-store.ts';
export { reconcile } from './reconcile.ts';
export type { ReportPorts } from './report/ask-figures.ts';
export { httpReportPorts } from './report/http-ports.ts';
export { createReports, isDay, type Reports } from './report/reports.ts';
export { pagePolicy } from './report/page-style.ts';
export { reportHtml } from './report/page.ts';
export { reportCsv, reportJson } from './report/written.ts';
