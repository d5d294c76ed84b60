import type { Refusal } from '../kernel/refusal.ts';
import type { RequestFact, RequestHandled, SystemEntryPosted, WalletFact } from './account/account.facts.ts';
import type { WalletSnapshot } from './account/account.machine.ts';
import type { ConnectorFact, ConnectorFigures } from './connector/connector.facts.ts';
import type { ConnectorSnapshot } from './connector/connector.machine.ts';
import type { PaymentFact } from './payment/payment.facts.ts';
import type { PaymentSnapshot } from './payment/payment.machine.ts';
import type { PayoutFact } from './payout/payout.facts.ts';
import type { PayoutSnapshot } from './payout/payout.machine.ts';
import type {
  AccountStream,
  ConnectorStream,
  PaymentStream,
  PayoutStream,
  RequestStream,
  SystemStream,
} from './streams.ts';

/**
 * What a decision reads: every participant that `participants` named, loaded, in the newest state that the runtime
 * knows. `undefined` means that it does not exist. Asking for an actor that was not named is a programmer's error.
 */
export interface World {
  payment(id: string): PaymentSnapshot | undefined;
  wallet(id: string): WalletSnapshot | undefined;
  request(id: string): RequestFact | undefined;
  payout(id: string): PayoutSnapshot | undefined;
  connector(id: string): ConnectorSnapshot | undefined;
}

/** Facts for one stream of the unit, the version that they expect (0: the stream must not exist), and the state after. */
export type Change =
  | {
      readonly stream: PaymentStream;
      readonly expect: number;
      readonly facts: readonly PaymentFact[];
      readonly next: PaymentSnapshot;
    }
  | {
      readonly stream: AccountStream;
      readonly expect: number;
      readonly facts: readonly WalletFact[];
      readonly next: WalletSnapshot;
    }
  | {
      readonly stream: PayoutStream;
      readonly expect: number;
      readonly facts: readonly PayoutFact[];
      readonly next: PayoutSnapshot;
    }
  | {
      readonly stream: ConnectorStream;
      readonly expect: number;
      readonly facts: readonly ConnectorFact[];
      readonly next: ConnectorSnapshot;
    }
  | {
      readonly stream: RequestStream;
      readonly expect: 0;
      readonly facts: readonly [RequestFact];
      readonly next: RequestFact;
    }
  | { readonly stream: SystemStream; readonly expect: 'any'; readonly facts: readonly SystemEntryPosted[] };

/** What deciding a command came to. Pure: same command, same world, same decision. */
export type Decision =
  /** One unit: all of it is appended, or nothing. `refusal` is set when what it records is a refused create. */
  | { readonly outcome: 'decided'; readonly changes: readonly Change[]; readonly refusal?: Refusal }
  /** Nothing to write; the same command is decided anew when it comes again. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** The command was applied before; the answer is the payment as it was at `version`. */
  | { readonly outcome: 'duplicate'; readonly stream: PaymentStream; readonly version: number }
  /** The same for a command on an account. */
  | { readonly outcome: 'duplicate-request'; readonly request: RequestHandled }
  /** For a command on a payout: the answer is the payout as it was at `version`. */
  | { readonly outcome: 'duplicate-payout'; readonly stream: PayoutStream; readonly version: number }
  | {
      readonly outcome: 'duplicate-connector';
      readonly connectorId: string;
      readonly version: number;
      readonly after: ConnectorFigures;
    };
