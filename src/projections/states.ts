import type pg from 'pg';
import type { EventLog, Position } from '../../eventstore/index.ts';
import { readCheckpoints } from './postgres/checkpoints.ts';
import type { Projection } from './projection.ts';
import { mirrorName, projectionLag } from './lag.ts';

/**
 * - `running`: it follows the log, wherever a projector runs
 * - `stopped`: it could not take a unit, and stands right before it until it is tried again
 * - `outdated`: its tables are of other code; a rebuild makes new ones
 * - `absent`: it has no tables yet; the next start of a projector makes them
 */
export type ProjectionStatus = 'running' | 'stopped' | 'outdated' | 'absent';

export interface ProjectionState {
  readonly projection: string;
  readonly status: ProjectionStatus;
  /** Of the code that made its tables. */
  readonly version: number;
  readonly position: Position;
  readonly eventsBehind: number;
  readonly secondsBehind: number;
  /** Why it stopped, and the position of the first event of the unit that it could not take. */
  readonly error: string | undefined;
  readonly errorPosition: Position | undefined;
}

/**
 * Where each of these projections is, and the mirror of a log that is kept elsewhere.
 *
 * @param logElsewhere the log, where it is not in the database
 */
export async function projectionStates(
  pool: pg.Pool,
  projections: readonly Projection[],
  logElsewhere?: Pick<EventLog, 'readAll'>,
): Promise<ProjectionState[]> {
  const [checkpoints, lags] = await Promise.all([readCheckpoints(pool), projectionLag(pool, logElsewhere)]);
  const mirrors = lags
    .filter(({ projection }) => projection === mirrorName)
    .map((lag): ProjectionState => ({ ...lag, status: 'running', version: 1 }));
  const states = projections.map(({ name, version }): ProjectionState => {
    const lag = lags.find(({ projection }) => projection === name);
    const made = checkpoints.find(({ projection }) => projection === name)?.codeVersion;
    return {
      projection: name,
      status:
        made === undefined
          ? 'absent'
          : made !== version
            ? 'outdated'
            : lag?.error !== undefined
              ? 'stopped'
              : 'running',
      version: made ?? version,
      position: lag?.position ?? 0,
      eventsBehind: lag?.eventsBehind ?? 0,
      secondsBehind: lag?.secondsBehind ?? 0,
      error: lag?.error,
      errorPosition: lag?.errorPosition,
    };
  });
  return [...states, ...mirrors];
}
