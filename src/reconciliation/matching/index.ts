/** The heart of reconciliation: what belongs to what. Pure, but for the store that it is handed. docs/reconciliation.md. */
export type { Because } from './board.ts';
export { dateOf, type Day } from './days.ts';
export { feedExpectation, feedLine, weakKeyLeft } from './feeding.ts';
export { type Key, keysOfExpectation, keysOfLine, weakNumberOf, weakNumberOfLine } from './keys.ts';
export { default as defaultRulesDocument } from './default-rules.json' with { type: 'json' };
export { defaultRules, type MatchingRules, readRules, sameRules } from './rules.ts';
export type { Decision, Expectation, ExternalLine, Reason } from './sides.ts';
export type * from './store.ts';
export { runMatching } from './run.ts';
