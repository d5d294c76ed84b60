import type { Position } from '../../../eventstore/index.ts';
import type { Queryable } from './transaction.ts';

/** Of the relay; a publisher's is `publisher:<name>`. */
export const RELAY = 'deliveries';

export async function readCheckpoint(db: Queryable, name: string): Promise<Position | undefined> {
  const { rows } = await db.query<{ position: string }>('select position from webhooks.checkpoints where name = $1', [
    name,
  ]);
  return rows[0] && Number(rows[0].position);
}

/** Makes it where it is missing. Whoever comes second finds the first one's. */
export async function startCheckpoint(db: Queryable, name: string, position: Position): Promise<void> {
  await db.query('insert into webhooks.checkpoints (name, position) values ($1, $2) on conflict (name) do nothing', [
    name,
    position,
  ]);
}

/**
 * Moves it from where it was believed to be.
 *
 * @returns false: somebody else has moved it; whatever goes with the move must not be written
 */
export async function moveCheckpoint(db: Queryable, name: string, from: Position, to: Position): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'webhooks.move-checkpoint',
    text: `update webhooks.checkpoints set position = $3, updated_at = clock_timestamp()
      where name = $1 and position = $2`,
    values: [name, from, to],
  });
  return rowCount === 1;
}
