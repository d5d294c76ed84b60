import { type Kora, startKora } from '../../src/composition.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import type { Caller, KoraRequest, PayRequest } from '../../src/actors/requests.ts';
import type { Outcome } from '../../src/actors/runtime.ts';
import { type CaseContext, mustHold } from '../harness/case.ts';
import { currency, openingBalance, type P2p, type P2pSource, walletsCount } from '../load/p2p.ts';

/** The product as `kora serve` puts it together, on the case's database, but for the parts that the case leaves out. */
export function startProduct({ databaseUrl }: Pick<CaseContext, 'databaseUrl'>, without: Without): Promise<Kora> {
  const logger = createLogger({ level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  return startKora(configFrom({ DATABASE_URL: databaseUrl }), { logger, without });
}
export type Without = readonly ('doors' | 'projector' | 'scheduler')[];

export const caller: Caller = { tenant: 'bench', principal: 'service:bench', correlationId: 'bench' };

export const walletIds: readonly string[] = Array.from(
  { length: walletsCount },
  (_, index) => `customer-${String(index).padStart(4, '0')}`,
);
export function walletId(index: number): string {
  return walletIds[index] ?? '';
}

export function payRequest({ payer, payee, amount, key }: P2p): PayRequest {
  return {
    type: 'Pay',
    kind: 'P2P',
    amount: BigInt(amount),
    currency,
    payer: walletId(payer),
    payee: walletId(payee),
    upTo: 'SETTLED',
    idempotencyKey: key,
  };
}

/** A payment of the measurement: each has a correlation id of its own, as each call of a door has. */
export async function pay(runtime: Executor, p2p: P2p): Promise<void> {
  const outcome = await runtime.execute(payRequest(p2p), { ...caller, correlationId: p2p.key });
  mustHold(outcome.ok && !outcome.duplicate, `a payment ended as ${outcome.ok ? 'a duplicate' : outcome.refusal.code}`);
}

interface Executor {
  execute(request: KoraRequest, caller: Caller): Promise<Outcome>;
}

/** Opens the wallets of the measurement and pays in what they start with. */
export async function openWallets(runtime: Executor): Promise<void> {
  const carryOut = async (requests: readonly KoraRequest[]): Promise<void> => {
    const outcomes = await Promise.all(requests.map((request) => runtime.execute(request, caller)));
    for (const outcome of outcomes) mustHold(outcome.ok, `preparing failed: ${JSON.stringify(outcome)}`);
  };
  await carryOut(
    walletIds.map((accountId) => ({
      type: 'OpenAccount',
      idempotencyKey: `open ${accountId}`,
      accountId,
      walletType: 'customer',
      currency,
    })),
  );
  await carryOut(
    walletIds.map((payee) => ({
      type: 'Pay',
      kind: 'CASH_IN',
      idempotencyKey: `fund ${payee}`,
      amount: openingBalance,
      currency,
      payee,
      provider: 'cash',
      upTo: 'SETTLED',
    })),
  );
}

/** Makes so many payments, as fast as it goes: to have a log. */
export async function makePayments(runtime: Executor, source: P2pSource, count: number): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await pay(runtime, source.next());
  };
  await Promise.all(Array.from({ length: 2_000 }, lane));
}
