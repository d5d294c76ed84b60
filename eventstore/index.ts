/** The log's face. */
export * from './event-log.ts';
export { isUnavailable } from './kurrentdb/unavailable.ts';
export { type KurrentLogOptions, openKurrentLog } from './kurrentdb/kurrent-log.ts';
export { MemoryLog, MemoryStore } from './memory/memory-log.ts';
export { claimForMirror, checkMirrorOf, OtherLogError, readMirror } from './mirror/mirror-state.ts';
export { runMirror } from './mirror/run-mirror.ts';
export { OutcomeUnknownError } from './outcome-unknown-error.ts';
export type { PostgresLogOptions } from './postgres/postgres-log.ts';
export { PostgresLog } from './postgres/postgres-log.ts';
