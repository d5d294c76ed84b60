import type pg from 'pg';
import { type EventLog, type Position, readMirror } from '../../eventstore/index.ts';
import { readCheckpoints } from './postgres/checkpoints.ts';

export interface ProjectionLag {
  readonly projection: string;
  /** All units up to here are in its tables. */
  readonly position: Position;
  /** Events in the log that are not; of a log that is kept elsewhere at most some 10,000 are counted. */
  readonly eventsBehind: number;
  /** Since the oldest of them was recorded; 0 when there are none. */
  readonly secondsBehind: number;
  /** Why it stopped, and at which position. */
  readonly error: string | undefined;
  readonly errorPosition: Position | undefined;
}

/** How the mirror of a log that is kept elsewhere is called among the projections. */
export const mirrorName = 'log_mirror';

/**
 * How far each projection is behind the log.
 *
 * @param logElsewhere the log, where it is kept elsewhere; then the mirror is among them
 */
export async function projectionLag(pool: pg.Pool, logElsewhere?: Pick<EventLog, 'readAll'>): Promise<ProjectionLag[]> {
  return logElsewhere === undefined ? lagHere(pool) : lagBehind(pool, logElsewhere);
}

interface LagRow {
  projection: string;
  position: string;
  events: string;
  seconds: number;
  error: string | null;
  error_position: string | null;
}

async function lagHere(pool: pg.Pool): Promise<ProjectionLag[]> {
  const { rows } = await pool.query<LagRow>(
    `select c.projection, c.position, c.error, c.error_position,
       coalesce((select position + count - 1 from eventstore.commits order by position desc limit 1), 0) - c.position as events,
       coalesce(extract(epoch from clock_timestamp() - (select l.recorded_at from eventstore.log l
         where l.position > c.position order by l.position limit 1)), 0)::float8 as seconds
     from projections.checkpoints c order by c.projection`,
  );
  return rows.map((row) => ({
    projection: row.projection,
    position: Number(row.position),
    eventsBehind: Number(row.events),
    secondsBehind: Math.max(0, row.seconds),
    error: row.error ?? undefined,
    errorPosition: row.error_position === null ? undefined : Number(row.error_position),
  }));
}

const countedMax = 10_000;

/** Positions are no numbers of events there: they are counted, by reading what is behind. Most are at one position. */
async function lagBehind(pool: pg.Pool, log: Pick<EventLog, 'readAll'>): Promise<ProjectionLag[]> {
  const [checkpoints, mirror] = await Promise.all([readCheckpoints(pool), readMirror(pool)]);
  const all = [
    ...checkpoints.map(({ projection, position, error, errorPosition }) => ({
      projection,
      position,
      error,
      errorPosition,
    })),
    { projection: mirrorName, position: mirror?.position ?? 0, error: undefined, errorPosition: undefined },
  ];
  const behind = new Map<Position, Behind>();
  for (const { position } of all) {
    if (!behind.has(position)) behind.set(position, await behindOf(log, position));
  }
  return all
    .map((one) => ({ ...one, ...(behind.get(one.position) as Behind) }))
    .sort((one, other) => (one.projection < other.projection ? -1 : 1));
}

type Behind = Pick<ProjectionLag, 'eventsBehind' | 'secondsBehind'>;

async function behindOf(log: Pick<EventLog, 'readAll'>, position: Position): Promise<Behind> {
  let [eventsBehind, secondsBehind] = [0, 0];
  for await (const unit of log.readAll(position)) {
    if (eventsBehind === 0) secondsBehind = Math.max(0, (Date.now() - unit.recordedAt.getTime()) / 1_000);
    eventsBehind += unit.rows.reduce((sum, row) => sum + row.events.length, 0);
    if (eventsBehind >= countedMax) break;
  }
  return { eventsBehind, secondsBehind };
}
