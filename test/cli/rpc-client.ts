/** Calls the rpc door as `curl` would: Connect's JSON over HTTP/1.1. */
export class RpcClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** @returns the answer, or undefined when there was none or it was an error: then nothing was acknowledged */
  async call(method: string, body: object): Promise<Record<string, unknown> | undefined> {
    try {
      const response = await fetch(`${this.#url}/kora.v1.${method}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
    } catch {
      return undefined;
    }
  }

  async openAccount(accountId: string): Promise<void> {
    const opened = await this.call('AccountService/OpenAccount', {
      idempotencyKey: `open-${accountId}`,
      accountId,
      walletType: 'WALLET_TYPE_CUSTOMER',
      currency: 'XOF',
    });
    if (opened === undefined) throw new Error(`account ${accountId} was not opened`);
  }

  /** @returns the payment's id, if it was acknowledged */
  async cashIn(idempotencyKey: string, payee: string, amount: string): Promise<string | undefined> {
    const answer = await this.call('PaymentService/Pay', {
      idempotencyKey,
      kind: 'PAYMENT_KIND_CASH_IN',
      payee,
      provider: 'cash',
      amount,
      currency: 'XOF',
      upTo: 'PAY_UP_TO_SETTLED',
    });
    return (answer?.['payment'] as { paymentId?: string } | undefined)?.paymentId;
  }
}

/** Pays, some at a time, until nobody answers any more. */
export async function payUntilSilence(
  client: RpcClient,
  account: string,
  prefix: string,
): Promise<{ readonly acknowledged: string[]; readonly asked: number }> {
  const acknowledged: string[] = [];
  let asked = 0;
  let silent = false;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (!silent) {
        asked += 1;
        const paymentId = await client.cashIn(`${prefix}-${asked}`, account, '1');
        if (paymentId === undefined) silent = true;
        else acknowledged.push(paymentId);
      }
    }),
  );
  return { acknowledged, asked };
}
