import type pg from 'pg';
import { migrationSets } from './platform/migrations.ts';
import { migrate, type Migration } from './platform/postgres/migrate.ts';
import { giveToModules, type ModuleRole } from './platform/postgres/module-roles.ts';

/** The modules that have tables, and the projector, which folds for those whose tables are projections. */
export type ModuleName =
  'eventstore' | 'ledger' | 'payments' | 'identity' | 'gateway' | 'cluster' | 'providers' | 'webhooks' | 'projector';

/**
 * Whose every table is. A module's connections act as its role, so that a fault in one module does not reach another
 * one's data. A table that is named here by nobody can be used by nobody: a test fails (test/modules).
 *
 * The log is read by the projector alone. What the Ledger and Payments read of it are views, which look with the
 * projector's eyes and show each of them its own streams.
 */
export const moduleRoles: Readonly<Record<ModuleName, ModuleRole>> = {
  eventstore: { role: 'kora_eventstore', owns: ['eventstore.*'] },
  ledger: {
    role: 'kora_ledger',
    owns: [
      'projections.accounts',
      'projections.accounts_v*',
      'projections.trial_balance',
      'projections.trial_balance_v*',
    ],
    reads: [
      'projections.ledger_entries',
      'projections.account_rows',
      'projections.account_heads',
      'projections.payment_units',
    ],
  },
  payments: {
    role: 'kora_payments',
    owns: [
      'projections.payments',
      'projections.payments_v*',
      'projections.deadlines',
      'projections.deadlines_v*',
      'projections.instructions',
      'projections.instructions_v*',
      'projections.payouts',
      'projections.payouts_v*',
      'projections.payout_slices',
      'projections.payout_slices_v*',
    ],
    reads: ['projections.payment_timeline'],
  },
  providers: {
    role: 'kora_providers',
    appendsTo: ['providers.statement_access'],
    owns: ['providers.*', 'projections.connector_states', 'projections.connector_states_v*'],
  },
  identity: { role: 'kora_identity', owns: ['identity.*'], appendsTo: ['identity.audit'] },
  gateway: { role: 'kora_gateway', owns: ['gateway.*'] },
  cluster: { role: 'kora_cluster', owns: ['cluster.*'] },
  // Whoever tells others what happened gets it through the log's port, and can read none of its tables.
  webhooks: { role: 'kora_webhooks', owns: ['webhooks.*'] },
  projector: {
    role: 'kora_projector',
    owns: [
      'projections.checkpoints',
      // Views of the log, and functions over them.
      'projections.ledger_entries',
      'projections.payment_timeline',
      'projections.account_rows',
      'projections.account_heads',
      'projections.payment_units',
      'projections.entries_of_account',
      'projections.entries_of_payment',
      'projections.timeline_of_payment',
    ],
    reads: ['eventstore.log', 'eventstore.heads', 'eventstore.commits', 'eventstore.mirror'],
    actsFor: ['kora_ledger', 'kora_payments', 'kora_providers'],
  },
};

/**
 * Brings a database to this build's schema, and gives every module its own.
 *
 * @param client a connection of the user who may do so, that nobody else uses meanwhile
 * @returns the migrations that were applied now
 * @throws what `migrate` and `giveToModules` throw
 */
export async function prepareDatabase(client: pg.ClientBase): Promise<Migration[]> {
  const applied = await migrate(client, migrationSets);
  await giveToModules(client, Object.values(moduleRoles));
  return applied;
}
