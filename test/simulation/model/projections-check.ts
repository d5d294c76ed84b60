import type { RecordedUnit } from '../../../eventstore/index.ts';
import { ChangeSet } from '../../../src/projections/change-set.ts';
import { MemoryTables, type MemoryRow } from '../../../src/projections/memory/writer.ts';
import type { MemoryProjections } from '../../../src/projections/memory/write-batch.ts';
import type { Projection } from '../../../src/projections/projection.ts';
import { check } from './finding.ts';

/**
 * Invariant 5, step by step: a second fold, unit by unit, goes along with each checkpoint, and what it changed must be in
 * the live tables as well.
 */
export class ProjectionsCheck {
  readonly #live: MemoryProjections;
  readonly #rebuilt = new MemoryTables();
  readonly #units: readonly RecordedUnit[];
  readonly #folded: { readonly projection: Projection; next: number }[];

  constructor(live: MemoryProjections, units: readonly RecordedUnit[], projections: readonly Projection[]) {
    this.#live = live;
    this.#units = units;
    this.#folded = projections.map((projection) => ({ projection, next: 0 }));
  }

  /** Checkpoints have moved. */
  advance(): void {
    for (const folded of this.#folded) {
      const { projection } = folded;
      const checkpoint = this.#live.checkpoint(projection.name);
      const changed = new ChangeSet();
      for (
        let unit = this.#units[folded.next];
        unit && unit.lastPosition <= checkpoint;
        unit = this.#units[folded.next]
      ) {
        const changes = new ChangeSet();
        projection.fold(unit, changes);
        this.#rebuilt.write(projection, changes);
        projection.fold(unit, changed);
        folded.next += 1;
      }
      for (const table of projection.tables) {
        const [live, rebuilt] = [this.#live.tables.rows(table), this.#rebuilt.rows(table)];
        for (const { key } of changed.rows(table)) {
          const name = key.join(' ');
          const [is, must] = [textOf(live.get(name)), textOf(rebuilt.get(name))];
          check(is === must, '5 projections', () => `${table.name} ${name} is ${is}; folded anew it is ${must}`);
        }
      }
    }
  }

  /** At the end: all rows, and all of the log. */
  whole(last: number): void {
    this.advance();
    for (const { projection } of this.#folded) {
      const at = this.#live.checkpoint(projection.name);
      check(at === last, '5 projections', () => `${projection.name} is at ${at}, the log at ${last}`);
      for (const table of projection.tables) {
        const text = (tables: MemoryTables): string =>
          [...tables.rows(table)]
            .map(([name, row]) => `${name}: ${textOf(row)}`)
            .sort()
            .join('\n');
        const [is, must] = [text(this.#live.tables), text(this.#rebuilt)];
        check(is === must, '5 projections', () => `${table.name} is ${is}; folded anew it is ${must}`);
      }
    }
  }
}

function textOf(row: MemoryRow | undefined): string {
  if (row === undefined) return 'not there';
  return Object.keys(row)
    .sort()
    .map((column) => `${column}=${String(row[column])}`)
    .join(' ');
}
