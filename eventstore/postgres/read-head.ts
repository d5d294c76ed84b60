import type pg from 'pg';
import type { Position } from '../event-log.ts';

/** The last commit of the log, and what it is linked to. */
export interface LogHead {
  /** Position of its first event, and how many it has. */
  readonly position: Position;
  readonly count: number;
  readonly hash: Buffer;
  /** In microseconds since 1970, as the chain has it. */
  readonly recordedAtMicros: bigint;
  /** Hash of the very first commit. It is over what nobody else's first commit holds, so it names the log. */
  readonly firstHash: Buffer;
}

/** Undefined: nothing was ever committed. */
export async function readHead(client: pg.Pool | pg.ClientBase): Promise<LogHead | undefined> {
  const { rows } = await client.query<{ position: string; count: number; hash: Buffer; micros: string; first: Buffer }>(
    `select c.position, c.count, c.hash, (extract(epoch from c.recorded_at) * 1000000)::bigint as micros,
       (select hash from eventstore.commits order by position limit 1) as first
     from eventstore.commits c order by c.position desc limit 1`,
  );
  const [head] = rows;
  if (head === undefined) return undefined;
  return {
    position: Number(head.position),
    count: head.count,
    hash: head.hash,
    recordedAtMicros: BigInt(head.micros),
    firstHash: head.first,
  };
}
