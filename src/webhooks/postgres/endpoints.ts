import type pg from 'pg';
import type { Position } from '../../../eventstore/index.ts';
import type { EndpointView, Sealer, Whose } from '../face.ts';
import { RELAY } from './checkpoints.ts';
import { inTransaction, type Queryable } from './transaction.ts';

/** What a sealed secret is bound to: at another endpoint it does not open. */
export const placeOf = (endpointId: string): string => `webhooks.endpoints.secret/${endpointId}`;

/** Whom a deliverer calls, and how it signs. */
export interface Target {
  readonly id: string;
  readonly url: string;
  readonly secrets: readonly string[];
}

interface EndpointRow {
  readonly id: string;
  readonly owner: string;
  readonly url: string;
  readonly types: string[];
  readonly created_at: Date;
  readonly previous_until: Date | null;
  readonly pending: string;
  readonly dead: string;
  readonly oldest: Date | null;
}

/**
 * Adds an endpoint that is told what comes from now on. While there was none, nobody has followed the log for them: then the
 * relay begins here, and reads nothing of what came before.
 *
 * @returns false: the owner has as many as it may have
 */
export async function insertEndpoint(
  pool: pg.Pool,
  endpoint: { id: string; owner: string; url: string; types: readonly string[]; secretSealed: Buffer; createdAt: Date },
  { max, lastPosition }: { readonly max: number; readonly lastPosition: () => Promise<Position> },
): Promise<boolean> {
  return inTransaction(
    pool,
    async (client) => {
      // The relay holds this row while it writes: what it has not written yet, this endpoint is told.
      await client.query('select from webhooks.checkpoints where name = $1 for update', [RELAY]);
      const { rows } = await client.query<{ own: string; all: string }>(
        `select count(*) filter (where owner = $1) as own, count(*) as all
         from webhooks.endpoints where removed_at is null`,
        [endpoint.owner],
      );
      if (Number(rows[0]?.own) >= max) return false;
      const position = await lastPosition();
      if (Number(rows[0]?.all) === 0) {
        await client.query('update webhooks.checkpoints set position = greatest(position, $2) where name = $1', [
          RELAY,
          position,
        ]);
      }
      const { id, owner, url, types, secretSealed, createdAt } = endpoint;
      await client.query(
        `insert into webhooks.endpoints (id, owner, url, types, from_position, secret_sealed, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [id, owner, url, types, position, secretSealed, createdAt],
      );
      return true;
    },
    { lasting: true },
  );
}

/** Endpoints with what waits for them, the oldest first. */
export async function readEndpoints(db: Queryable, whose: Whose, id?: string): Promise<EndpointView[]> {
  const { rows } = await db.query<EndpointRow>(
    `select e.id, e.owner, e.url, e.types, e.created_at, e.previous_until, l.pending, d.dead, o.oldest
     from webhooks.endpoints e
     cross join lateral (
       select coalesce(sum(pending), 0) as pending from webhooks.lanes where endpoint_id = e.id
     ) l
     cross join lateral (
       select count(*) as dead from webhooks.deliveries
       where endpoint_id = e.id and status = 'dead'
     ) d
     left join lateral (
       select recorded_at as oldest from webhooks.deliveries p join webhooks.events using (position)
       where p.endpoint_id = e.id and status = 'pending'
       order by p.position limit 1
     ) o on true
     where removed_at is null and owner = coalesce($1, owner) and id = coalesce($2, id)
     order by created_at, id`,
    [whose === 'anybody' ? undefined : whose.owner, id],
  );
  return rows.map(viewOf);
}

function viewOf({
  id,
  owner,
  url,
  types,
  created_at,
  previous_until,
  pending,
  dead,
  oldest,
}: EndpointRow): EndpointView {
  return {
    id,
    owner,
    url,
    types,
    createdAt: created_at.toISOString(),
    ...(previous_until !== null && { previousSecretUntil: previous_until.toISOString() }),
    pending: Number(pending),
    dead: Number(dead),
    ...(oldest !== null && { oldestPendingAt: oldest.toISOString() }),
  };
}

/** Whether there is one, and this is its owner's. */
export async function isThere(db: Queryable, whose: Whose, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from webhooks.endpoints where id = $1 and owner = coalesce($2, owner) and removed_at is null',
    [id, whose === 'anybody' ? undefined : whose.owner],
  );
  return rowCount === 1;
}

export async function hasEndpoints(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query('select from webhooks.endpoints where removed_at is null limit 1');
  return rowCount === 1;
}

/** Its deliveries are swept away later: they may be many. */
export async function markRemoved(db: Queryable, id: string, now: Date): Promise<void> {
  await db.query('update webhooks.endpoints set removed_at = $2 where id = $1', [id, now]);
}

/** The secret that it has signs too, until then. */
export async function replaceSecret(pool: pg.Pool, id: string, sealed: Buffer, previousUntil: Date): Promise<void> {
  const text = `update webhooks.endpoints
    set previous_sealed = secret_sealed, previous_until = $3, secret_sealed = $2 where id = $1`;
  await inTransaction(pool, (client) => client.query(text, [id, sealed, previousUntil]), { lasting: true });
}

/** Everybody to whom something may be delivered. */
export async function readTargets(db: Queryable, sealer: Sealer, now: Date): Promise<Target[]> {
  const { rows } = await db.query<{ id: string; url: string; secret_sealed: Buffer; previous_sealed: Buffer | null }>(
    `select id, url, secret_sealed, case when previous_until > $1 then previous_sealed end as previous_sealed
     from webhooks.endpoints where removed_at is null`,
    [now],
  );
  return rows.map(({ id, url, secret_sealed, previous_sealed }) => ({
    id,
    url,
    secrets: [secret_sealed, ...(previous_sealed === null ? [] : [previous_sealed])].map((sealed) =>
      sealer.open(sealed, placeOf(id)).toString('utf8'),
    ),
  }));
}

/**
 * Seals every secret with the newest key, so that the older ones can leave the keyring. Run again, it goes on.
 *
 * @returns how many endpoints had another key
 */
export async function resealSecrets(pool: pg.Pool, sealer: Sealer): Promise<number> {
  const [newest] = sealer.keyIds;
  return inTransaction(
    pool,
    async (client) => {
      const { rows } = await client.query<{ id: string; secret_sealed: Buffer; previous_sealed: Buffer | null }>(
        'select id, secret_sealed, previous_sealed from webhooks.endpoints for update',
      );
      const again = (id: string, sealed: Buffer | null): Buffer | null =>
        sealed && sealer.seal(sealer.open(sealed, placeOf(id)).toString('utf8'), placeOf(id));
      let count = 0;
      for (const { id, secret_sealed: secret, previous_sealed: previous } of rows) {
        if ([secret, previous].every((sealed) => sealed === null || sealer.keyIdOf(sealed) === newest)) continue;
        count += 1;
        await client.query('update webhooks.endpoints set secret_sealed = $2, previous_sealed = $3 where id = $1', [
          id,
          again(id, secret),
          again(id, previous),
        ]);
      }
      return count;
    },
    { lasting: true },
  );
}
