import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { type Kora, type KoraOptions, startKora } from '../../../src/composition.ts';
import { createServiceKey, issueServiceToken } from '../../../src/gateway/service-token.ts';
import { configFrom } from '../../../src/platform/config.ts';
import { createLogger } from '../../../src/platform/logging.ts';
import { projections, verify } from '../../../src/projections/index.ts';

interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The product with its doors, as `kora serve` runs it, and a service that pays through it. */
export interface TroubledProduct {
  readonly kora: Kora;
  /** Over http, a franc to `ada`. */
  pay(key: string): Promise<Answered>;
  /** The same over rpc. */
  payByRpc(key: string): Promise<Answered>;
  ready(): Promise<Answered>;
  /** What rpc health says. */
  health(): Promise<unknown>;
  /** What people were told of troubles, a line each. */
  told(): string[];
  /** Pays under new keys, one after the other and without waiting for answers, until this is so. Gives the keys. */
  payUntil(prefix: string, enough: () => boolean): Promise<readonly string[]>;
  /**
   * Pays under these keys until each is answered as done, then holds the whole against what it must be: one payment for
   * each key that was ever used, no more, and a log that verifies.
   */
  expectOnce(keys: readonly string[]): Promise<void>;
}

/** Long enough for a machine that eight others work on. */
export const patience = { timeout: 30_000, interval: 100 };

/** Short: tests do not wait for what they do not prove. */
const shortPatience = { lockMs: 500, statementMs: 1_500, answerMs: 2_500, refuseAfterMs: 200 };

export async function openTroubledProduct(
  env: Readonly<Record<string, string>>,
  options: Partial<KoraOptions> = {},
): Promise<TroubledProduct> {
  const key = createServiceKey();
  const lines: { readonly msg: string; readonly level: number }[] = [];
  const logger = createLogger({
    level: 'info',
    format: 'json',
    write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]),
  });
  const config = configFrom({
    KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: '0',
    ...env,
  });
  const kora = await startKora(config, { logger, patience: shortPatience, ...options });
  onTestFinished(() => kora.close());
  const token = await issueServiceToken({ key, service: 'shop', tenant: 'kora', ttlSeconds: 3_600 });
  const http = `http://127.0.0.1:${kora.httpPort ?? 0}`;
  const rpc = `http://127.0.0.1:${kora.rpcPort ?? 0}`;
  const post = async (url: string, body: object, headers: Record<string, string> = {}): Promise<Answered> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Answered['body'] };
  };
  const payment = { payee: 'ada', provider: 'cash', amount: '1', currency: 'XOF' };
  const pay: TroubledProduct['pay'] = (idempotencyKey) =>
    post(`${http}/v1/payments`, { kind: 'CASH_IN', ...payment }, { 'idempotency-key': idempotencyKey });
  const opened = await post(
    `${http}/v1/accounts`,
    { accountId: 'ada', type: 'customer', currency: 'XOF' },
    { 'idempotency-key': 'open ada' },
  );
  expect(opened.status).toBeLessThan(300);
  return {
    kora,
    pay,
    payByRpc: (idempotencyKey) =>
      post(`${rpc}/kora.v1.PaymentService/Pay`, {
        kind: 'PAYMENT_KIND_CASH_IN',
        ...payment,
        upTo: 'PAY_UP_TO_SETTLED',
        idempotencyKey,
      }),
    async ready() {
      const response = await fetch(`${http}/health/ready`);
      return { status: response.status, body: (await response.json()) as Answered['body'] };
    },
    health: async () => (await post(`${rpc}/grpc.health.v1.Health/Check`, {})).body['status'],
    told: () => lines.filter(({ level, msg }) => level >= 40 || /trouble/.test(msg)).map(({ msg }) => msg),
    async payUntil(prefix, enough) {
      const keys: string[] = [];
      const answers: Promise<unknown>[] = [];
      for (let number = 0; !enough(); number++) {
        if (number >= 2_000) throw new Error('the trouble does not come');
        const one = `${prefix} ${number}`;
        keys.push(one);
        // No answer is no answer: the key is used again.
        answers.push(pay(one).catch(() => undefined));
        await sleep(20);
      }
      void Promise.all(answers);
      return keys;
    },
    async expectOnce(keys) {
      const left = [...keys];
      const payAll = async (): Promise<void> => {
        for (let one = left.pop(); one !== undefined; one = left.pop()) {
          const again = one;
          await expect.poll(async () => (await pay(again)).status, patience).toBeLessThan(300);
        }
      };
      await Promise.all([payAll(), payAll(), payAll(), payAll()]);
      const { payments } = await countOf(kora);
      expect(payments).toBe(keys.length);
      await kora.projected();
      const report = await verify({ pool: kora.pool, projections });
      expect(report.findings).toEqual([]);
    },
  };
}

/** Payments in the log, and not in what was made from it. */
async function countOf({ log }: Kora): Promise<{ readonly payments: number }> {
  const payments = new Set<string>();
  for await (const unit of log.readAll(0)) {
    for (const { stream } of unit.rows) if (stream.startsWith('payment/')) payments.add(stream);
  }
  return { payments: payments.size };
}
