import type { Refusal } from './refusal.ts';

/**
 * What a call comes to. An expected "no" is a returned value, as everywhere in Kora: not enough money, a frozen account, a
 * wrong password are part of the day, and the compiler does not let anybody take the value without having looked. What
 * nobody can expect (no connection, an answer that makes no sense) is thrown, as `KoraFault`.
 *
 * ```ts
 * const paid = await kora.payments.pay({ … });
 * if (paid.ok) show(paid.value.status);
 * else if (paid.refusal.code === 'InsufficientFunds') topUp(paid.refusal.available);
 * ```
 */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

/** A refusal where it cannot be returned: thrown by `granted`, and by the iteration over pages and over what is watched. */
export class KoraRefusal extends Error {
  override readonly name = 'KoraRefusal';
  readonly code: Refusal['code'];
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.detail}`);
    this.code = refusal.code;
    this.refusal = refusal;
  }
}

/**
 * The value of an answer that can only be yes, or that the caller can do nothing about: `granted(await kora.accounts.get(id))`.
 *
 * @throws KoraRefusal when it was refused
 */
export function granted<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw new KoraRefusal(answer.refusal);
}
