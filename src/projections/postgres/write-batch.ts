import type pg from 'pg';
import type { Position } from '../../../eventstore/index.ts';
import { ProjectionFault, type Batch } from '../batch.ts';
import type { ChangeSet } from '../change-set.ts';
import type { Projection } from '../projection.ts';
import { moveCheckpoints } from './checkpoints.ts';
import { withConnection } from './sessions.ts';
import { tableName } from './tables.ts';
import { isFinal, writeChanges } from './writer.ts';

/**
 * Begins the transaction of a projector. What it writes can be folded again, so it need not wait for the disk. A process
 * that is stopped in the middle of one must not keep the checkpoints from the process that takes over.
 */
const begin = `begin; set local synchronous_commit = off; set local lock_timeout = '10s';
  set local idle_in_transaction_session_timeout = '2s'`;

/**
 * Writes a batch and moves the checkpoints, in one transaction.
 *
 * @returns 'fenced' when a checkpoint was not where its member believes it to be, or belongs to other code by now: then
 * nothing was written, and the checkpoints must be read again
 * @throws ProjectionFault when the database refuses the rows of a projection for what they are
 */
export async function writeBatch(pool: pg.Pool, batch: Batch): Promise<'written' | 'fenced'> {
  const behind = batch.members.filter(({ member }) => member.position < batch.end);
  const outcome = await withConnection(pool, async (client) => {
    await client.query(begin);
    const moved = await moveCheckpoints(
      client,
      behind.map(({ member }) => ({ projection: member.projection.name, from: member.position, to: batch.end })),
    );
    for (const { member, changes } of behind) {
      const checkpoint = moved.find(({ projection }) => projection === member.projection.name);
      if (checkpoint?.codeVersion !== member.projection.version) {
        await client.query('rollback');
        return 'fenced';
      }
      await writeMember(client, member.projection, checkpoint.tableVersion, changes, batch.lastUnit);
    }
    await client.query('commit');
    return 'written';
  });
  if (outcome === 'written') for (const { member } of behind) member.position = batch.end;
  return outcome;
}

async function writeMember(
  client: pg.ClientBase,
  { name, tables }: Projection,
  tableVersion: number,
  changes: ChangeSet,
  position: Position,
): Promise<void> {
  try {
    for (const table of tables) await writeChanges(client, table, tableName(table, tableVersion), changes);
  } catch (error) {
    throw isFinal(error) ? new ProjectionFault(name, position, error) : error;
  }
}
