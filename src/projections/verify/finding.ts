import type { Position } from '../../../eventstore/index.ts';
import type { LogFinding } from '../../../eventstore/postgres/log-finding.ts';

export interface Finding {
  /** First position that is wrong, as near as the check can tell. */
  readonly position: Position;
  /** Last position that it may concern, where the check cannot tell which of many it was. */
  readonly until?: Position;
  /**
   * What of the log itself is wrong (see `LogFinding`), or
   * - `facts`: a fact cannot be read
   * - `entries`: the entries of a unit do not sum to zero
   * - `wallets`: a wallet's fact does not follow from those before it
   * - `limits`: a wallet was taken below its limit, and nothing forced it
   * - `payments`, `payouts`, `connectors`: the machine does not take the fact
   * - `slices`: a payout and the payments that it was cut into do not fit
   * - `projections`: the tables are not what a fresh fold gives
   */
  readonly check:
    | LogFinding['check']
    | 'facts'
    | 'entries'
    | 'wallets'
    | 'limits'
    | 'payments'
    | 'payouts'
    | 'connectors'
    | 'slices'
    | 'projections';
  readonly message: string;
}
