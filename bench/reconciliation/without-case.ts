/** `reconciliation.without`: payments over http, and nothing beside them. */
export { measureAlone as run } from './beside.ts';
