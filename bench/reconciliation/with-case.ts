/** `reconciliation.with`: the same payments while a night's file is matched. */
export { measureBeside as run } from './beside.ts';
