import type { Position } from '../../../eventstore/index.ts';
import type { Queryable } from './transaction.ts';

export interface BacklogRows {
  readonly pending: number;
  readonly dead: number;
  readonly oldestPendingAt: Date | undefined;
  /** Readers of the log that have something to do: the relay only where there are endpoints. */
  readonly readers: readonly { readonly name: string; readonly position: Position }[];
}

/** What waits, over all endpoints. Counted by the lanes and the partial index of what is left, not by all deliveries. */
export async function readBacklog(db: Queryable): Promise<BacklogRows> {
  const { rows } = await db.query<{
    pending: string;
    dead: string;
    oldest: Date | null;
    readers: { name: string; position: number }[];
  }>(
    `select
       (select coalesce(sum(pending), 0) from webhooks.lanes) as pending,
       (select count(*) from webhooks.deliveries where status = 'dead') as dead,
       (select min(e.recorded_at) from webhooks.endpoints n
          cross join lateral (select position from webhooks.deliveries d
            where d.endpoint_id = n.id and d.status = 'pending' order by d.position limit 1) p
          join webhooks.events e on e.position = p.position) as oldest,
       (select coalesce(json_agg(json_build_object('name', name, 'position', position) order by name), '[]')
          from webhooks.checkpoints
          where name <> 'deliveries' or exists (select from webhooks.endpoints where removed_at is null)) as readers`,
  );
  const [row] = rows;
  return {
    pending: Number(row?.pending ?? 0),
    dead: Number(row?.dead ?? 0),
    oldestPendingAt: row?.oldest ?? undefined,
    readers: row?.readers ?? [],
  };
}
