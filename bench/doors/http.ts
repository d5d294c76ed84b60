import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../ops/bin/node-flags.js';
import { checkLog } from '../core/check-log.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes } from '../harness/measure.ts';
import { offeredLoad } from '../load/offered-load.ts';
import { type P2p, P2pSource } from '../load/p2p.ts';
import { percentile } from '../load/percentiles.ts';
import { Seeded } from '../load/seeded.ts';
import { HttpClient } from './http-client.ts';
import type { Serve, Serving } from './http-server.ts';

/** Of a hundred: sent once more after the answer, and sent once more while the first call is at work. */
const again = { after: 4, meanwhile: 4 };

/** Makes each payment once, however often it is sent, and believes no answer. */
class Payer {
  readonly #client: HttpClient;
  readonly #source = new P2pSource();
  readonly #random = new Seeded(7_400);
  readonly ids = new Set<string>();
  made = 0;
  repeated = 0;
  /** Calls that were told that another one with their key is at work. */
  conflicts = 0;
  /** Repetitions that have not been answered. */
  readonly #late = new Set<Promise<void>>();

  constructor(client: HttpClient) {
    this.#client = client;
  }

  /** A payment that is due now. Resolves with its first answer; its repetitions go on by themselves. */
  async next(): Promise<void> {
    const p2p = this.#source.next();
    const lot = this.#random.below(100);
    const meanwhile = lot < again.meanwhile ? sleep(1).then(() => this.#settled(p2p)) : undefined;
    const paymentId = await this.#settled(p2p);
    mustHold(!this.ids.has(paymentId), `two payments are one: ${paymentId}`);
    this.ids.add(paymentId);
    this.made += 1;
    if (meanwhile !== undefined) this.#later(paymentId, meanwhile);
    else if (lot < again.meanwhile + again.after) this.#later(paymentId, this.#settled(p2p));
  }

  /** Resolves when every repetition has been answered, each with the payment that there was. */
  async repetitions(): Promise<void> {
    await Promise.all(this.#late);
  }

  #later(first: string, repetition: Promise<string>): void {
    this.repeated += 1;
    const late = repetition.then((paymentId) => {
      mustHold(paymentId === first, `a repetition of ${first} made ${paymentId}`);
      this.#late.delete(late);
    });
    this.#late.add(late);
  }

  /** Sends it until it is answered by something else than "at work". */
  async #settled(p2p: P2p): Promise<string> {
    for (;;) {
      const { status, paymentId, paymentStatus } = await this.#client.pay(p2p);
      if (status !== 409) {
        mustHold(
          status === 201 && paymentStatus === 'SETTLED',
          `a payment was answered ${status} ${paymentStatus ?? ''}`,
        );
        return paymentId ?? '';
      }
      this.conflicts += 1;
      await sleep(5);
    }
  }
}

/** What goes on beside the payments, from before their measurement until after it. */
export interface Beside {
  readonly pid: number | undefined;
  begin(): void;
  /** @throws InvalidRunError when it was over before */
  end(): Promise<Readonly<Record<string, number>>>;
}

/**
 * Payments over http, one in a call, that come by chance, so many a second on average, whether or not earlier ones are
 * answered.
 */
export async function measureHttp(
  context: CaseContext,
  name: string,
  perSecond: number,
  beside?: Beside,
): Promise<Measured> {
  const { warmupMs, measureMs, postmasterPid } = context;
  const server = fork(fileURLToPath(new URL('http-server.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeFlags],
  });
  // When this process fails, the channel breaks, and the server ends by itself.
  const ended = once(server, 'exit').then(([code]) => mustHold(code === 0, `the server ended with ${String(code)}`));
  server.send({ databaseUrl: context.databaseUrl } satisfies Serve);
  const [serving] = (await Promise.race([once(server, 'message'), ended])) as [Serving];
  await context.checkpoint();
  const client = new HttpClient(serving);
  const payer = new Payer(client);
  beside?.begin();
  const meter = new CpuMeter(postmasterPid, server.pid ?? 0, beside?.pid);
  const marks = [warmupMs, warmupMs + measureMs].map((ms) => sleep(ms).then(() => payer.made));
  const metered = sleep(warmupMs).then(async () => {
    meter.begin();
    await sleep(measureMs);
    return meter.end();
  });
  const { latenciesMs, answered } = await offeredLoad({
    perSecond,
    random: new Seeded(1_965),
    warmupMs,
    measureMs,
    send: () => payer.next(),
  });
  await payer.repetitions();
  const besideNotes = await beside?.end();
  const [before = 0, after = 0] = await Promise.all(marks);
  const use = await metered;
  client.close();
  server.send('end');
  await ended;

  await checkLog(context, answered);
  mustHold(payer.ids.size === answered, `${answered} payments, ${payer.ids.size} ids`);
  const offered = (perSecond * measureMs) / 1_000;
  mustHold(Math.abs(latenciesMs.length / offered - 1) < 0.1, `${latenciesMs.length} payments of ${offered} were sent`);
  const share = payer.repeated / answered;
  mustHold(share > 0.05 && share < 0.1, `${payer.repeated} of ${answered} payments were repeated`);
  return {
    figures: [
      { name, value: ((after - before) * 1_000) / measureMs, unit: 'payments/s' },
      ...[0.5, 0.95, 0.99].map((part) => ({
        name: `${name}.p${part * 100}`,
        value: percentile(latenciesMs, part),
        unit: 'ms' as const,
      })),
    ],
    notes: {
      requests: latenciesMs.length,
      repeated: payer.repeated,
      conflicts: payer.conflicts,
      connections: client.connections,
      ...cpuNotes(use, after - before),
      ...besideNotes,
    },
  };
}
