import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PaymentKind, PaymentStatus, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { type Berth, Fleet } from '../../test/chaos/fleet.ts';
import { clientsOf, type RpcClients } from '../../test/rpc/clients.ts';
import { checkLog } from '../core/check-log.ts';
import { openWallets, startProduct, walletId } from '../core/kora.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { offeredLoad } from '../load/offered-load.ts';
import { currency, type P2p, P2pSource } from '../load/p2p.ts';
import { Seeded } from '../load/seeded.ts';
import { recoveryOf, type Sample } from './recovery.ts';

/** Well below what two processes can do: what is measured is the fault, and not a queue. */
const perSecond = 100;
/** How long a client waits for an answer before it asks the other process. */
const callLimitMs = 1_000;
/** A process that did not answer is asked again after so long. */
const avoidMs = 1_000;
/** After the fault: as long as a fail-over may take, and as much again. */
const afterMs = 12_000;

interface Scene {
  readonly fleet: Fleet;
  readonly victim: Berth;
}

/** Offers a steady load to two processes, breaks something in the middle, and says what clients waited for. */
export async function measureFault(
  context: CaseContext,
  name: string,
  breakIt: (scene: Scene) => Promise<void>,
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-bench-faults-'));
  const key = createServiceKey();
  const token = await issueServiceToken({ key, service: 'bench', tenant: 'bench', ttlSeconds: 3_600 });
  const lost: string[] = [];
  const fleet = new Fleet({
    size: 2,
    logFolder: folder,
    token,
    onLoss: (sentence) => lost.push(sentence),
    env: {
      DATABASE_URL: context.databaseUrl,
      KORA_DATA_DIR: join(folder, 'kora'),
      KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_IDENTITY_KEYS: `bench:${randomBytes(32).toString('base64')}`,
      KORA_LOG_LEVEL: 'warn',
    },
  });
  const { signal } = new AbortController();
  try {
    const product = await startProduct(context, ['doors', 'projector', 'scheduler']);
    await openWallets(product.runtime);
    await product.close();
    // One after the other: the first one there leads.
    const [victim] = fleet.berths;
    mustHold(victim !== undefined, 'there is nobody to break');
    await fleet.raise(signal);
    await context.checkpoint();

    const payer = new Payer(fleet, token);
    const startedAt = performance.now();
    const faultMs = context.warmupMs + context.measureMs / 2;
    const broken = sleep(faultMs).then(async () => {
      const at = performance.now();
      await breakIt({ fleet, victim });
      await fleet.raise(signal);
      return at;
    });
    const random = new Seeded(2_211);
    const source = new P2pSource();
    const measureMs = context.measureMs / 2 + afterMs;
    const samples: { dueAt: number; latencyMs: number }[] = [];
    const { answered } = await offeredLoad({
      perSecond,
      random,
      warmupMs: context.warmupMs,
      measureMs,
      send: async () => {
        const dueAt = performance.now();
        await payer.pay(source.next());
        samples.push({ dueAt, latencyMs: performance.now() - dueAt });
      },
    });
    const faultAt = await broken;
    fleet.resume(victim);
    await fleet.close();
    mustHold(lost.length === 0, lost.join('; '));
    await checkLog(context, answered);

    const counted = samples
      .filter(({ dueAt }) => dueAt - startedAt >= context.warmupMs)
      .map(({ dueAt, latencyMs }): Sample => ({ dueMs: dueAt - faultAt, latencyMs }));
    const { p99BeforeMs, p99Ms, recoveryMs } = recoveryOf(counted);
    // What is slow before anything is broken looks as if it were whole at once.
    mustHold(p99BeforeMs < callLimitMs / 2, `${name}: the machine does not carry ${perSecond} payments a second`);
    mustHold(Number.isFinite(recoveryMs), `${name}: not as it was within ${afterMs / 1_000} s`);
    return {
      figures: [
        { name: `${name}.p99`, value: p99Ms, unit: 'ms' },
        { name: `${name}.recovery`, value: recoveryMs, unit: 'ms' },
        { name: `${name}.before`, value: p99BeforeMs, unit: 'ms' },
      ],
      notes: { requests: counted.length, resent: payer.resent },
    };
  } finally {
    await fleet.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A client that knows both processes, and goes to the other one when one does not answer. */
class Payer {
  resent = 0;
  readonly #fleet: Fleet;
  readonly #token: string;
  readonly #clients = new Map<string, RpcClients>();
  readonly #avoidUntil = new Map<Berth, number>();
  #turn = 0;

  constructor(fleet: Fleet, token: string) {
    this.#fleet = fleet;
    this.#token = token;
  }

  /** Pays once, however often it has to be sent. */
  async pay({ payer, payee, amount, key }: P2p): Promise<void> {
    for (;;) {
      const berth = this.#choose();
      const rpc = berth.address?.rpc ?? '';
      try {
        const { payment } = await this.#clientOf(rpc).payments.pay(
          {
            idempotencyKey: key,
            kind: PaymentKind.P2P,
            amount: String(amount),
            currency,
            payer: walletId(payer),
            payee: walletId(payee),
            upTo: PayUpTo.SETTLED,
          },
          { timeoutMs: callLimitMs },
        );
        mustHold(payment?.status === PaymentStatus.SETTLED, 'a payment did not settle');
        return;
      } catch {
        this.resent += 1;
        this.#avoidUntil.set(berth, performance.now() + avoidMs);
        await sleep(10);
      }
    }
  }

  /** In turns; whoever did not answer lately only where nobody else is left. */
  #choose(): Berth {
    const { berths } = this.#fleet;
    const now = performance.now();
    const good = berths.filter((berth) => (this.#avoidUntil.get(berth) ?? 0) <= now);
    const among = good.length === 0 ? berths : good;
    const berth = among[this.#turn++ % among.length];
    mustHold(berth !== undefined, 'there is nobody to pay through');
    return berth;
  }

  #clientOf(url: string): RpcClients {
    let clients = this.#clients.get(url);
    if (clients === undefined) this.#clients.set(url, (clients = clientsOf(url, this.#token)));
    return clients;
  }
}
