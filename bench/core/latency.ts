import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { offeredLoad } from '../load/offered-load.ts';
import { P2pSource } from '../load/p2p.ts';
import { percentile } from '../load/percentiles.ts';
import { Seeded } from '../load/seeded.ts';
import { checkLog } from './check-log.ts';
import { openWallets, pay, startProduct } from './kora.ts';

const perSecond = 1_000;

/** `core.latency.*`: how long a payment takes until it is durable, at a load that leaves room. As `core.accepted` otherwise. */
export async function run(context: CaseContext): Promise<Measured> {
  const { warmupMs, measureMs } = context;
  const kora = await startProduct(context, ['doors', 'projector', 'scheduler']);
  await openWallets(kora.runtime);
  await context.checkpoint();
  const source = new P2pSource();
  const random = new Seeded(1_965);
  const send = (): Promise<void> => pay(kora.runtime, source.next());
  const { latenciesMs, answered } = await offeredLoad({ perSecond, random, warmupMs, measureMs, send });
  await kora.close();
  await checkLog(context, answered);
  const offered = (perSecond * measureMs) / 1_000;
  mustHold(Math.abs(latenciesMs.length / offered - 1) < 0.1, `${latenciesMs.length} payments of ${offered} were sent`);
  return {
    figures: [0.5, 0.95, 0.99].map((share) => ({
      name: `core.latency.p${share * 100}`,
      value: percentile(latenciesMs, share),
      unit: 'ms',
    })),
    notes: { requests: latenciesMs.length },
  };
}
