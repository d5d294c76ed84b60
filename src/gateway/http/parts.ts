import type { Identity } from '../../identity/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { Payments } from '../../payments/index.ts';
import type { HttpLimits } from './limits.ts';

/** What handlers work with: the faces of the modules, and what the door lends them. */
export interface DoorParts {
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly identity: Identity;
  readonly limits: HttpLimits;
}
