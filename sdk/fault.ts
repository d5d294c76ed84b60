/**
 * `Unreachable`: every try ended without an answer, or with a gateway's word that there is none. What was asked may or may
 * not have been done: ask again with the same `idempotencyKey`, and it is done once.
 * `Internal`: the door answered that something broke on its side. The same holds.
 * `NotUnderstood`: an answer, but not one of Kora's: a wrong address, or a proxy that speaks for itself.
 * `StreamRefused`: the stream door will not serve this client however often it asks.
 */
export type KoraFaultCode = 'Unreachable' | 'Internal' | 'NotUnderstood' | 'StreamRefused';

/** What no caller can expect, and what a refusal is not. */
export class KoraFault extends Error {
  override readonly name = 'KoraFault';
  readonly code: KoraFaultCode;
  /** Under which the call is found in Kora's log. */
  readonly correlationId: string | undefined;
  /** Of a command: ask again with it, and what was done already is not done twice. */
  readonly idempotencyKey: string | undefined;

  constructor(
    code: KoraFaultCode,
    message: string,
    of: { readonly cause?: unknown; readonly correlationId?: string; readonly idempotencyKey?: string } = {},
  ) {
    super(message, { cause: of.cause });
    this.code = code;
    this.correlationId = of.correlationId;
    this.idempotencyKey = of.idempotencyKey;
  }
}
