/**
 * A refusal is an expected "no": a value that is returned, never thrown. It has a stable code, a sentence for people and
 * the figures that explain it. Doors map every code to their wire code in one exhaustive map.
 */
export type Refusal =
  /** The command cannot be right, whatever the state: unknown account, wrong currency, negative amount. */
  | { readonly code: 'Invalid'; readonly message: string; readonly field?: string }
  | {
      readonly code: 'NotFound';
      readonly message: string;
      readonly what: 'payment' | 'account' | 'payout' | 'connector' | 'feed';
      readonly id: string;
    }
  | {
      readonly code: 'InsufficientFunds';
      readonly message: string;
      readonly accountId: string;
      /** posted − held + limit, minor units. */
      readonly available: string;
      readonly asked: string;
    }
  | { readonly code: 'AccountFrozen'; readonly message: string; readonly accountId: string }
  | { readonly code: 'AccountClosed'; readonly message: string; readonly accountId: string }
  | { readonly code: 'AccountExists'; readonly message: string; readonly accountId: string }
  /** Closing needs posted = held = 0 and no open payment. */
  | {
      readonly code: 'AccountNotEmpty';
      readonly message: string;
      readonly accountId: string;
      readonly posted: string;
      readonly held: string;
      readonly openPayments: number;
    }
  | {
      readonly code: 'IllegalTransition';
      readonly message: string;
      /** The state that it is in, the command that was refused, the commands that are allowed there. */
      readonly state: string;
      readonly command: string;
      readonly allowed: readonly string[];
    }
  /** A provider was told, and its outcome is not final: until then nobody else ends or moves the payment. */
  | { readonly code: 'InstructionLive'; readonly message: string; readonly connector: string }
  | { readonly code: 'HoldExpired'; readonly message: string; readonly expiresAt: string }
  | {
      readonly code: 'CaptureExceedsAuthorized';
      readonly message: string;
      readonly authorized: string;
      readonly asked: string;
    }
  | {
      readonly code: 'RefundExceedsCaptured';
      readonly message: string;
      readonly refundable: string;
      readonly asked: string;
    }
  /** The provider or a person ended the payment; `reason` is theirs. */
  | { readonly code: 'PaymentFailed'; readonly message: string; readonly reason: string }
  /** Same idempotency key, other body. */
  | { readonly code: 'IdempotencyConflict'; readonly message: string; readonly commandId: string }
  /** Too much waits for the log, or the log waits for its store; nothing was written; try again later. */
  | { readonly code: 'Overloaded'; readonly message: string }
  /** The stream was raced so often by others that the runtime gave up; nothing was written; try again. */
  | { readonly code: 'Contended'; readonly message: string };

export type RefusalCode = Refusal['code'];
