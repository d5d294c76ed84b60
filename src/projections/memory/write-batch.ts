import type { Position } from '../../../eventstore/index.ts';
import type { Batch } from '../batch.ts';
import { MemoryTables } from './writer.ts';

/** What projections have in memory: the counterpart of their Postgres tables and checkpoints. */
export class MemoryProjections {
  readonly tables = new MemoryTables();
  readonly #checkpoints = new Map<string, Position>();

  /** All units up to here are in the tables of the projection. */
  checkpoint(projection: string): Position {
    return this.#checkpoints.get(projection) ?? 0;
  }

  /**
   * Writes a batch and moves the checkpoints, as `postgres/write-batch.ts` does: nothing of it is seen before all of it is
   * there. A writer that dies on the way, at any of the steps, leaves nothing.
   *
   * @param step a statement on its way to the database: awaited between the statements. Default: none takes any time
   * @returns 'fenced' when a checkpoint was not where its member believes it to be: then nothing was written
   */
  async writeBatch(batch: Batch, step: () => Promise<void> = () => Promise.resolve()): Promise<'written' | 'fenced'> {
    const behind = batch.members.filter(({ member }) => member.position < batch.end);
    const transaction: (() => void)[] = [];
    for (const { member, changes } of behind) {
      await step();
      transaction.push(() => this.tables.write(member.projection, changes));
    }
    await step();
    // The commit: in one turn, and only if nobody else has moved a checkpoint.
    if (behind.some(({ member }) => this.checkpoint(member.projection.name) !== member.position)) return 'fenced';
    for (const write of transaction) write();
    for (const { member } of behind) {
      this.#checkpoints.set(member.projection.name, batch.end);
      member.position = batch.end;
    }
    return 'written';
  }
}
