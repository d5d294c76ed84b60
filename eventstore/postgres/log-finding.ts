import type { Position } from '../event-log.ts';

/** What was wrong, and the first position that it concerns. */
export interface LogFinding {
  readonly position: Position;
  /** Last position that it may concern, where the check cannot tell which of many it was. */
  readonly until?: Position;
  /**
   * - `positions`: a row or a commit is missing, or two lie on each other
   * - `units`: a unit is not whole
   * - `chain`: the bytes of a commit are not those that were digested, or its link does not follow from the one before
   * - `time`: recorded time goes back, or is not that of the commit
   * - `versions`: the versions of a stream are not 1, 2, 3 …
   * - `heads`: the fence does not agree with the log
   * - `mirror`: the copy of a log that is kept elsewhere is not what that log has
   */
  readonly check: 'positions' | 'units' | 'chain' | 'time' | 'versions' | 'heads' | 'mirror';
  readonly message: string;
}
