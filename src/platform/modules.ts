/** The modules that have tables. Each is a database role, and reads and writes as that role. */
export type ModuleName = 'eventstore' | 'ledger' | 'payments' | 'identity' | 'gateway' | 'projector';
