/** The log's face. */
export * from './event-log.ts';
export { MemoryLog, MemoryStore } from './memory/memory-log.ts';
export { OutcomeUnknownError } from './outcome-unknown-error.ts';
export type { PostgresLogOptions } from './postgres/postgres-log.ts';
export { PostgresLog } from './postgres/postgres-log.ts';
