/** Nothing is paid twice and nothing is told twice or not at all, whatever happens to the wires: at random, with a seed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { granted, Kora } from '../../sdk/index.ts';
import { collected, isDense } from './support/collected.ts';
import type { Moment } from './support/cutting-proxy.ts';
import { openStage, type Stage } from './support/stage.ts';

let stage: Stage;
let kora: Kora;

beforeAll(async () => {
  stage = await openStage();
  const retry = { attemptsMax: 20, delayMs: 20, delayMsMax: 1_500 };
  kora = new Kora({ ...stage.urls, token: await stage.serviceToken(), timeoutMs: 3_000, retry });
});
afterAll(() => stage.close());

/** A run can be had again with its seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function wallet(amount = 0): Promise<string> {
  const { accountId } = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' }));
  const cash = {
    kind: 'CASH_IN',
    amount: BigInt(amount),
    currency: 'XOF',
    payee: accountId,
    provider: 'cash',
  } as const;
  if (amount > 0) granted(await kora.payments.pay(cash));
  return accountId;
}

it.each([1, 2])(
  'pays each payment once and tells it once, on wires that break all the time (seed %i)',
  async (seed) => {
    const random = randomOf(seed);
    const [payer, payee] = [await wallet(10_000), await wallet()];
    const stop = new AbortController();
    const payers = collected(kora.watch(`account/${payer}`, { after: 0, signal: stop.signal }));
    const payees = collected(kora.watch(`account/${payee}`, { signal: stop.signal }));
    const moments: Moment[] = ['request', 'answer', 'half answer'];
    const cutsBefore = stage.http.cuts;

    const payments = 60;
    let next = 0;
    const payInTurn = async (): Promise<string[]> => {
      const ids: string[] = [];
      for (let turn = next++; turn < payments; turn = next++) {
        const moment = moments[Math.floor(random() * 2 * moments.length)];
        if (moment !== undefined) stage.http.cutNext('POST /v1/payments ', moment);
        if (random() < 0.2) stage.stream.cutAll();
        const payment = { kind: 'P2P', amount: 1n, currency: 'XOF', payer, payee } as const;
        ids.push(granted(await kora.payments.pay(payment)).paymentId);
        if (turn === payments / 2) {
          await stage.stop();
          await stage.start();
        }
      }
      return ids;
    };
    const ids = (await Promise.all([payInTurn(), payInTurn(), payInTurn()])).flat();

    expect(stage.http.cuts - cutsBefore).toBeGreaterThan(10);
    expect(new Set(ids).size).toBe(payments);
    const paid = granted(await kora.accounts.get(payer));
    const received = granted(await kora.accounts.get(payee));
    expect([paid.posted, received.posted]).toEqual([String(10_000 - payments), String(payments)]);
    await payers.until(({ versions }) => versions.at(-1) === paid.version);
    await payees.until(({ versions }) => versions.at(-1) === received.version);
    stop.abort();
    await Promise.all([payers.over, payees.over]);
    expect(payers.told.versions).toEqual(Array.from({ length: paid.version }, (_, index) => index + 1));
    expect(isDense(payees.told.versions)).toBe(true);
  },
);
