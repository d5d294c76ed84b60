import type { RecordedUnit } from '../../eventstore/index.ts';
import type { ChangeSet } from './change-set.ts';
import type { Table } from './table.ts';

/**
 * A read model: a pure fold from units to changes of rows. It sees every unit once, whole, in the order of the log, and
 * must not need what it did before: then batches can be of any size, and nothing is read to write.
 */
export interface Projection {
  readonly name: string;
  /** Raised when the tables or the fold change. Tables of another version are not written: `rebuild` makes new ones. */
  readonly version: number;
  readonly tables: readonly Table[];
  /** The module whose the tables are: its database role `kora_<module>` owns them. The projector writes them for it. */
  readonly module: 'ledger' | 'payments' | 'providers';
  /** Throws on what it cannot understand; the projection stops there, alone. */
  fold(unit: RecordedUnit, changes: ChangeSet): void;
}
