import type { Caller, KoraRequest, PayRequest } from '../../src/actors/requests.ts';
import type { Outcome, Runtime } from '../../src/actors/runtime.ts';

/** The service that asks in tests. */
export const caller: Caller = { tenant: 'test', principal: 'service:test', correlationId: 'test-correlation' };

/** Opens customer wallets in XOF, each with an amount from cash. */
export async function openWallets(runtime: Runtime, amounts: Readonly<Record<string, bigint>>): Promise<void> {
  for (const [accountId, amount] of Object.entries(amounts)) {
    await must(runtime, {
      type: 'OpenAccount',
      idempotencyKey: `open ${accountId}`,
      accountId,
      walletType: 'customer',
      currency: 'XOF',
    });
    if (amount > 0n) await must(runtime, cashIn(accountId, amount));
  }
}

export function cashIn(payee: string, amount: bigint, idempotencyKey = `cash in ${payee}`): PayRequest {
  const kind = 'CASH_IN';
  return { type: 'Pay', idempotencyKey, kind, payee, provider: 'cash', amount, currency: 'XOF', upTo: 'SETTLED' };
}

export function p2p(payer: string, payee: string, amount: bigint, idempotencyKey: string): PayRequest {
  return { type: 'Pay', idempotencyKey, kind: 'P2P', payer, payee, amount, currency: 'XOF', upTo: 'SETTLED' };
}

/** Carries out a request that has to be carried out. */
export async function must(runtime: Runtime, request: KoraRequest): Promise<Outcome & { ok: true }> {
  const outcome = await runtime.execute(request, caller);
  if (!outcome.ok) throw new Error(`${request.type} was refused: ${outcome.refusal.code}: ${outcome.refusal.message}`);
  return outcome;
}
