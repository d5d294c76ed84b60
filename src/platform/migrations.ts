import type { MigrationSet } from './postgres/migrate.ts';

const root = new URL('../../', import.meta.url);

/** Every migration of the product, in the order in which a fresh database gets them: what comes later may build on what comes earlier. */
export const migrationSets: readonly MigrationSet[] = [
  { module: 'eventstore', folder: new URL('eventstore/postgres/migrations/', root) },
  { module: 'projections', folder: new URL('src/projections/postgres/migrations/', root) },
  { module: 'identity', folder: new URL('src/identity/postgres/migrations/', root) },
  { module: 'gateway', folder: new URL('src/gateway/http/postgres/migrations/', root) },
  { module: 'providers', folder: new URL('src/connectors/postgres/migrations/', root) },
  { module: 'cluster', folder: new URL('src/cluster/postgres/migrations/', root) },
  { module: 'webhooks', folder: new URL('src/webhooks/postgres/migrations/', root) },
];
