import { Code, ConnectError } from '@connectrpc/connect';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import {
  type Payment,
  PaymentKind,
  PaymentSchema,
  PaymentStatus,
  PayUpTo,
} from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { RefusalCode, RefusalSchema } from '../../src/gateway/rpc/gen/kora/v1/refusal_pb.js';
import { clientsOf, type RpcClients } from '../rpc/clients.ts';
import type { Movement } from './oracle.ts';
import {
  type Answer,
  currency,
  customers,
  feeBps,
  merchants,
  openingBalance,
  type Order,
  type Pay,
  paymentOf,
} from './orders.ts';
import { openingCorrelation } from './check.ts';

/** Where a process listens. */
export interface Address {
  readonly http: string;
  readonly rpc: string;
  readonly stream: string;
}

/** A process that is stopped takes calls and answers none: whoever asks must go on elsewhere. */
const callLimitMs = 3_000;

/** These change nothing, and say: send it again. Everything else that is no refusal leaves the outcome unknown. */
const transient = new Set([RefusalCode.OVERLOADED, RefusalCode.CONTENDED]);

/** The doors of one process, as a client has them. */
export class Doors {
  readonly #address: Address;
  readonly #token: string;
  readonly #rpc: RpcClients;

  constructor(address: Address, token: string) {
    this.#address = address;
    this.#token = token;
    this.#rpc = clientsOf(address.rpc, token);
  }

  /**
   * Sends an order once. Undefined: nobody knows what became of it, send it again with the same key.
   *
   * @param door http takes payments only; everything else goes over rpc
   */
  async send(order: Order, door: 'rpc' | 'http'): Promise<Answer | undefined> {
    return door === 'http' && order.type === 'Pay' ? this.#overHttp(order) : this.#overRpc(order);
  }

  /** Opens the wallets and gives the customers something. Safe to repeat. */
  async openWallets(): Promise<void> {
    const headers = { 'kora-correlation-id': openingCorrelation };
    for (const accountId of [...customers, ...merchants]) {
      const isMerchant = merchants.some((merchant) => merchant === accountId);
      await this.#rpc.accounts.openAccount(
        {
          idempotencyKey: `open ${accountId}`,
          accountId,
          currency,
          walletType: isMerchant ? WalletType.MERCHANT : WalletType.CUSTOMER,
          ...(isMerchant && { feeBps: Number(feeBps) }),
        },
        { headers },
      );
      if (isMerchant) continue;
      await this.#rpc.payments.pay(
        {
          idempotencyKey: `fund ${accountId}`,
          kind: PaymentKind.CASH_IN,
          payee: accountId,
          provider: 'cash',
          amount: openingBalance.toString(),
          currency,
          upTo: PayUpTo.SETTLED,
        },
        { headers },
      );
    }
  }

  /** What this process says that the wallets have. */
  async wallets(): Promise<Map<string, Movement>> {
    const told = new Map<string, Movement>();
    for (const accountId of [...customers, ...merchants]) {
      const { account } = await this.#rpc.accounts.getAccount({ accountId }, { timeoutMs: callLimitMs });
      told.set(accountId, { posted: BigInt(account?.posted ?? '0'), held: BigInt(account?.held ?? '0') });
    }
    return told;
  }

  async #overRpc(order: Order): Promise<Answer | undefined> {
    try {
      const { payment } = await this.#call(order);
      return payment === undefined ? undefined : answerOf(payment);
    } catch (error) {
      const [refusal] = ConnectError.from(error).findDetails(RefusalSchema);
      if (refusal === undefined || transient.has(refusal.code)) {
        refuseUnauthorized(ConnectError.from(error).code, error);
        return undefined;
      }
      const [payment] = ConnectError.from(error).findDetails(PaymentSchema);
      return { done: false, refusal: RefusalCode[refusal.code], paymentId: payment?.paymentId };
    }
  }

  #call(order: Order): Promise<{ readonly payment?: Payment | undefined }> {
    const { payments } = this.#rpc;
    const options = { timeoutMs: callLimitMs };
    const idempotencyKey = order.key;
    switch (order.type) {
      case 'Pay': {
        const { kind, payer, payee, provider, amount, upTo } = order;
        return payments.pay(
          {
            idempotencyKey,
            kind: PaymentKind[kind],
            amount: amount.toString(),
            currency,
            upTo: PayUpTo[upTo],
            ...(payer !== undefined && { payer }),
            ...(payee !== undefined && { payee }),
            ...(provider !== undefined && { provider }),
          },
          options,
        );
      }
      case 'Capture':
        return payments.capture(
          { idempotencyKey, paymentId: paymentOf(order), amount: order.amount.toString() },
          options,
        );
      case 'Settle':
        return payments.settle({ idempotencyKey, paymentId: paymentOf(order) }, options);
      case 'Reverse':
        return payments.reverse({ idempotencyKey, paymentId: paymentOf(order) }, options);
      case 'Refund':
        return payments.refund(
          { idempotencyKey, original: paymentOf(order.of), amount: order.amount.toString(), currency },
          options,
        );
    }
  }

  async #overHttp({ key, kind, payer, payee, provider, amount, upTo }: Pay): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#address.http}/v1/payments`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.#token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify({ kind, payer, payee, provider, amount: amount.toString(), currency, upTo }),
        signal: AbortSignal.timeout(callLimitMs),
      });
      const body = (await response.json()) as Record<string, string> & { readonly version?: number };
      const { paymentId, status = '', captured = '', version = 0, code = '' } = body;
      if (response.status === 201) return { done: true, paymentId: paymentId ?? '', status, version, captured };
      // Only what stays what it is; StillRunning, 429, 5xx: again.
      const isFinal = response.status < 500 && ![408, 409, 429].includes(response.status);
      return isFinal ? { done: false, refusal: refusalName(code), paymentId } : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A token that is not taken would make us send for ever. */
function refuseUnauthorized(code: Code, error: unknown): void {
  if (code === Code.Unauthenticated || code === Code.PermissionDenied) throw error;
}

function answerOf({ paymentId, status, version, captured }: Payment): Answer {
  return { done: true, paymentId, status: PaymentStatus[status], version: Number(version), captured };
}

/** The code of a problem as rpc writes it: InsufficientFunds, INSUFFICIENT_FUNDS. */
function refusalName(code: string): string {
  return code.replace(/(?<=.)[A-Z]/g, '_$&').toUpperCase();
}
