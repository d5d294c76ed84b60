import { setTimeout as sleep } from 'node:timers/promises';
import type { Payment } from './bank.ts';
import type { Signatures } from './signing.ts';

/** Tells whoever asked us what became of a payment; again, with longer and longer pauses, until it says 2xx. */
export class Callbacks {
  readonly #url: string | undefined;
  readonly #signatures: Signatures;
  #delivered = 0;
  #givenUp = 0;

  constructor(url: string | undefined, signatures: Signatures) {
    this.#url = url;
    this.#signatures = signatures;
  }

  get counts(): { readonly delivered: number; readonly givenUp: number } {
    return { delivered: this.#delivered, givenUp: this.#givenUp };
  }

  /** What is told is the payment as it is at the call. Never throws. */
  async tell({ id, reference, status, amount, currency, fee, code }: Payment): Promise<void> {
    if (this.#url === undefined) return;
    const body = JSON.stringify({
      id,
      reference,
      status,
      amount,
      currency,
      fee,
      ...(code === undefined ? {} : { code }),
    });
    for (let attempt = 0; attempt < 8; attempt += 1) {
      if (await this.#deliver(this.#url, body)) {
        this.#delivered += 1;
        return;
      }
      await sleep(200 * 2 ** attempt, undefined, { ref: false });
    }
    this.#givenUp += 1;
  }

  async #deliver(url: string, body: string): Promise<boolean> {
    try {
      const headers = { 'content-type': 'application/json', ...this.#signatures.ofCallback(body) };
      const answer = await fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }
}
