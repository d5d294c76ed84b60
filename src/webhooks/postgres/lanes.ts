import type pg from 'pg';
import type { Position } from '../../../eventstore/index.ts';
import { inTransaction } from './transaction.ts';

/** Who delivers a lane now. */
export interface Claim {
  readonly endpointId: string;
  readonly stream: string;
  readonly token: string;
}

/** A lane and what is to be delivered on it, in order. */
export interface ClaimedLane extends Claim {
  readonly deliveries: readonly DueDelivery[];
}

export interface DueDelivery {
  readonly position: Position;
  /** Tries that failed. */
  readonly attempts: number;
  readonly firstAt: Date | undefined;
  readonly eventId: string;
  readonly type: string;
  readonly body: string;
}

/**
 * Claims lanes that are due, those that have waited longest first, up to so many of each endpoint. Nobody else delivers them
 * until they are recorded or `leaseMs` have passed by the database's clock: two deliverers at once keep the order too.
 *
 * @param room by endpoint
 */
export async function claimLanes(
  pool: pg.Pool,
  room: ReadonlyMap<string, number>,
  { token, now, leaseMs, deliveriesMax }: { token: string; now: Date; leaseMs: number; deliveriesMax: number },
): Promise<ClaimedLane[]> {
  const { rows: lanes } = await pool.query<{ endpoint_id: string; stream: string }>({
    name: 'webhooks.claim-lanes',
    text: `with due as (
        select l.endpoint_id, l.stream
        from unnest($1::text[], $2::int[]) as room (endpoint_id, lanes)
        cross join lateral (
          select endpoint_id, stream from webhooks.lanes
          where endpoint_id = room.endpoint_id and not blocked and due_at <= $3
            and (claimed_until is null or claimed_until < clock_timestamp())
          order by due_at limit room.lanes for update skip locked
        ) l
      )
      update webhooks.lanes l set claim = $4, claimed_until = clock_timestamp() + $5 * interval '1 millisecond'
      from due where l.endpoint_id = due.endpoint_id and l.stream = due.stream
      returning l.endpoint_id, l.stream`,
    values: [[...room.keys()], [...room.values()], now, token, leaseMs],
  });
  if (lanes.length === 0) return [];
  const heads = await pool.query<HeadRow>({
    name: 'webhooks.heads-of-lanes',
    text: `select l.number, d.position, d.attempts, d.first_at, e.id, e.type, e.body
      from unnest($1::text[], $2::text[]) with ordinality as l (endpoint_id, stream, number)
      cross join lateral (
        select position, attempts, first_at from webhooks.deliveries
        where endpoint_id = l.endpoint_id and stream = l.stream and status = 'pending'
        order by position limit $3
      ) d
      join webhooks.events e on e.position = d.position
      order by l.number, d.position`,
    values: [lanes.map((lane) => lane.endpoint_id), lanes.map(({ stream }) => stream), deliveriesMax],
  });
  const deliveries = lanes.map((): DueDelivery[] => []);
  for (const row of heads.rows) deliveries[Number(row.number) - 1]?.push(dueOf(row));
  return lanes.map(({ endpoint_id: endpointId, stream }, index) => ({
    endpointId,
    stream,
    token,
    deliveries: deliveries[index] ?? [],
  }));
}

interface HeadRow {
  readonly number: string;
  readonly position: string;
  readonly attempts: number;
  readonly first_at: Date | null;
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

function dueOf({ position, attempts, first_at: firstAt, id, type, body }: HeadRow): DueDelivery {
  return { position: Number(position), attempts, firstAt: firstAt ?? undefined, eventId: id, type, body };
}

/** What became of a lane that was claimed. */
export interface LaneResult extends Claim {
  readonly tried: readonly TriedDelivery[];
  /** When it is looked at again, if anything is left. */
  readonly dueAt: Date;
}

export interface TriedDelivery {
  readonly position: Position;
  readonly status: 'delivered' | 'pending' | 'dead';
  readonly attempts: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly error: string | undefined;
}

/** Records results and gives the lanes free. Of a lane that somebody else has claimed meanwhile nothing is recorded. */
export async function recordResults(pool: pg.Pool, results: readonly LaneResult[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    const ended = results.map(({ tried }) => tried.filter(({ status }) => status !== 'pending').length);
    const { rows: held } = await client.query<{ number: string }>({
      name: 'webhooks.give-lanes-free',
      text: `with given as (
          select * from unnest($1::text[], $2::text[], $3::uuid[], $4::int[], $5::timestamptz[], $6::boolean[])
            with ordinality as g (endpoint_id, stream, claim, ended, due_at, blocked, number)
        ), held as (
          select g.* from webhooks.lanes l join given g using (endpoint_id, stream) where l.claim = g.claim
          order by endpoint_id, stream for update of l
        )
        update webhooks.lanes l set pending = l.pending - held.ended, due_at = held.due_at,
          blocked = l.blocked or held.blocked, claim = null, claimed_until = null
        from held where l.endpoint_id = held.endpoint_id and l.stream = held.stream
        returning held.number`,
      values: [
        results.map(({ endpointId }) => endpointId),
        results.map(({ stream }) => stream),
        results.map(({ token }) => token),
        ended,
        results.map(({ dueAt }) => dueAt),
        results.map(({ tried }) => tried.some(({ status }) => status === 'dead')),
      ],
    });
    const mine = held.flatMap(({ number }) => results[Number(number) - 1] ?? []);
    const tried = mine.flatMap(({ endpointId, tried: all }) => all.map((one) => ({ endpointId, ...one })));
    if (tried.length > 0) {
      await client.query({
        name: 'webhooks.record-deliveries',
        text: `update webhooks.deliveries d
          set status = t.status, attempts = t.attempts, first_at = t.first_at, last_at = t.last_at, last_error = t.error
          from unnest($1::text[], $2::bigint[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::text[])
            as t (endpoint_id, position, status, attempts, first_at, last_at, error)
          where d.endpoint_id = t.endpoint_id and d.position = t.position`,
        values: [
          tried.map(({ endpointId }) => endpointId),
          tried.map(({ position }) => position),
          tried.map(({ status }) => status),
          tried.map(({ attempts }) => attempts),
          tried.map(({ firstAt }) => firstAt),
          tried.map(({ lastAt }) => lastAt),
          tried.map(({ error }) => error),
        ],
      });
    }
    await client.query({
      name: 'webhooks.close-lanes',
      text: `delete from webhooks.lanes l using unnest($1::text[], $2::text[]) as m (endpoint_id, stream)
        where l.endpoint_id = m.endpoint_id and l.stream = m.stream and l.pending = 0 and not l.blocked`,
      values: [mine.map(({ endpointId }) => endpointId), mine.map(({ stream }) => stream)],
    });
  });
}
