import type pg from 'pg';
import type { Position, RecordedUnit } from '../../../eventstore/index.ts';
import type { ChangeSet } from '../change-set.ts';
import { FreshFold } from '../fresh-fold.ts';
import type { Table } from '../table.ts';
import type { Projection } from '../projection.ts';
import type { Finding } from '../verify/finding.ts';
import { readCheckpoints } from './checkpoints.ts';
import { compareTables, differenceCount, type RowDifference } from './compare.ts';
import { createTable, tableName } from './tables.ts';
import { isFinal, writeChanges } from './writer.ts';

interface Fresh {
  readonly fold: FreshFold;
  readonly until: Position;
  readonly tableVersion: number;
  /** Everything up to here is in the table. */
  written: Position;
  failed: boolean;
}

const freshName = (table: Table): string => `pg_temp."fresh_${table.name}"`;

/**
 * Projections folded anew beside the live ones, in temporary tables of the client's transaction, each up to where its
 * checkpoint is in that snapshot. Nobody else may use the client.
 */
export class FreshTables {
  readonly #client: pg.ClientBase;
  readonly #found: (finding: Finding) => void;
  readonly #all: Fresh[] = [];
  /** One write after the other: each is between its own savepoint and its end. */
  #queue: Promise<void> = Promise.resolve();

  constructor(client: pg.ClientBase, found: (finding: Finding) => void) {
    this.#client = client;
    this.#found = found;
  }

  /** Projections that were never installed have no rows to be wrong. */
  async create(projections: readonly Projection[]): Promise<void> {
    const checkpoints = await readCheckpoints(this.#client);
    for (const projection of projections) {
      const { name, version, tables } = projection;
      const checkpoint = checkpoints.find((row) => row.projection === name);
      if (checkpoint === undefined) continue;
      const { position, codeVersion, tableVersion, error, errorPosition } = checkpoint;
      if (error !== undefined) {
        const message = `projection ${name} has stopped: ${error}`;
        this.#found({ check: 'projections', position: errorPosition ?? position, message });
      }
      if (codeVersion !== version) {
        const message = `the tables of projection ${name} are of version ${codeVersion}, not ${version}: rebuild it`;
        this.#found({ check: 'projections', position, message });
        continue;
      }
      for (const table of tables) await this.#client.query(createTable(table, freshName(table), 'temporary table'));
      const fresh: Fresh = {
        fold: new FreshFold(projection, (changes) => {
          const end = fresh.fold.position;
          return (this.#queue = this.#queue.then(() => this.#write(fresh, changes, end)));
        }),
        until: position,
        tableVersion,
        written: 0,
        failed: false,
      };
      this.#all.push(fresh);
    }
  }

  async #write(fresh: Fresh, changes: ChangeSet, end: Position): Promise<void> {
    if (fresh.failed) return;
    await this.#client.query('savepoint fresh');
    try {
      const { tables } = fresh.fold.projection;
      for (const table of tables) await writeChanges(this.#client, table, freshName(table), changes);
      await this.#client.query('release savepoint fresh');
      fresh.written = end;
    } catch (error) {
      if (!isFinal(error)) throw error;
      await this.#client.query('rollback to savepoint fresh');
      fresh.failed = true;
      const message = `projection ${fresh.fold.projection.name} cannot be folded: ${String(error)}`;
      this.#found({ check: 'projections', position: fresh.written + 1, until: end, message });
    }
  }

  visit(unit: RecordedUnit): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (const fresh of this.#all) {
      if (fresh.failed || unit.lastPosition > fresh.until) continue;
      try {
        const taken = fresh.fold.take(unit);
        if (taken !== undefined) waiting = waiting === undefined ? taken : waiting.then(() => taken);
      } catch (error) {
        fresh.failed = true;
        const message = error instanceof Error ? error.message : String(error);
        this.#found({ check: 'projections', position: unit.position, message });
      }
    }
    return waiting;
  }

  async compare(): Promise<void> {
    for (const fresh of this.#all) {
      const { fold, until, tableVersion } = fresh;
      await fold.flush();
      if (fresh.failed) continue;
      for (const table of fold.projection.tables) {
        await this.#client.query(`analyze ${freshName(table)}`);
        const differences = await compareTables(this.#client, table, tableName(table, tableVersion), freshName(table));
        const count = differenceCount(differences);
        if (count === 0) continue;
        for (const example of differences.examples) {
          this.#found({
            check: 'projections',
            position: positionOf(example) ?? until,
            message: sentence(table, example),
          });
        }
        const more = count - differences.examples.length;
        if (more > 0) {
          const message = `${more} more rows of ${table.name} are not what a fresh fold gives`;
          this.#found({ check: 'projections', position: until, message });
        }
      }
    }
  }
}

/** Where the row was last changed, in tables that know. */
function positionOf({ live, fresh }: RowDifference): Position | undefined {
  const position = fresh?.['position'] ?? live?.['position'];
  return position === undefined || position === null ? undefined : Number(position);
}

function sentence({ name }: Table, { key, live, fresh }: RowDifference): string {
  const row = `row ${key.join(' ')} of ${name}`;
  if (fresh === undefined) return `${row} should not be there`;
  if (live === undefined) return `${row} is missing`;
  const columns = Object.keys(fresh).filter((column) => live[column] !== fresh[column]);
  const values = columns.map(
    (column) => `${column} is ${live[column] ?? 'null'}, a fresh fold gives ${fresh[column] ?? 'null'}`,
  );
  return `${row}: ${values.join('; ')}`;
}
