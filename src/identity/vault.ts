import type pg from 'pg';
import type { Keyring } from './keyring.ts';

/** What even the command line needs: the tables, the keys of what is sealed, and a clock. */
export interface Vault {
  readonly pool: pg.Pool;
  readonly keyring: Keyring;
  readonly tenant: string;
  readonly now: () => Date;
}

/** A pool, or a connection inside of a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;
