import { setTimeout as sleep } from 'node:timers/promises';
import { openWallets } from '../core/kora.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { offeredLoad } from '../load/offered-load.ts';
import { P2pSource } from '../load/p2p.ts';
import { percentile } from '../load/percentiles.ts';
import { Seeded } from '../load/seeded.ts';
import { type AuthorizedPayment, cashOut } from './cash-outs.ts';
import { checkBooks } from './check-books.ts';
import { withConnected } from './product.ts';
import { drainMs, perSecond, windowMs } from './terms.ts';

/**
 * `connectors.cashOut`: 500 payments a second come by chance and go out through a rest connector to a provider that takes
 * 200 to 2,000 ms and fails 2 of 100 calls. What is ours of a payment's time is all but the latency of its first request.
 */
export function run(context: CaseContext): Promise<Measured> {
  const { warmupMs, postmasterPid } = context;
  const measureMs = windowMs(context);
  const name = 'connectors.cashOut';
  return withConnected(context, ['momo'], {}, async ({ kora, providerOf, watched }) => {
    const provider = providerOf('momo');
    await openWallets(kora.runtime);
    await kora.projected();
    await context.checkpoint();
    await watched.start(kora.log);

    const source = new P2pSource();
    const authorized: AuthorizedPayment[] = [];
    const meter = new CpuMeter(postmasterPid, provider.pid);
    const from = performance.now() + warmupMs;
    const metered = sleep(warmupMs).then(async () => {
      meter.begin();
      await sleep(measureMs);
      return { use: meter.end(), rss: process.memoryUsage.rss() };
    });
    await offeredLoad({
      perSecond,
      random: new Seeded(1_965),
      warmupMs,
      measureMs,
      send: async () => authorized.push(await cashOut(kora, 'momo', source.next())),
    });
    const { use, rss } = await metered;
    await watched.settledCount(authorized.length, drainMs, kora.log);

    const counted = authorized.filter(({ askedAt }) => askedAt >= from);
    const offered = (perSecond * measureMs) / 1_000;
    mustHold(Math.abs(counted.length / offered - 1) < 0.1, `${counted.length} payments of ${offered} were authorized`);
    const settled = [...watched.settledAt.values()].filter((at) => at >= from && at < from + measureMs).length;
    const own = watched.ownMs(counted, providerOf);
    const sure = watched.ownMs(
      counted.filter(({ paymentId }) => !watched.inDoubt.has(paymentId)),
      providerOf,
    );
    const untilTold = Float64Array.from(
      counted.map(({ paymentId, at }) => (watched.toldAt.get(paymentId) ?? NaN) - at),
    ).sort();
    return {
      figures: [
        { name, value: (settled * 1_000) / measureMs, unit: 'payments/s' },
        ...[0.5, 0.95, 0.99].map((part) => ({
          name: `${name}.p${part * 100}`,
          value: percentile(own, part),
          unit: 'ms' as const,
        })),
        { name: `${name}.sure.p99`, value: percentile(sure, 0.99), unit: 'ms' },
        { name: `${name}.memory`, value: rss / 2 ** 20, unit: 'MB' },
        { name: `${name}.memory.peak`, value: process.resourceUsage().maxRSS / 2 ** 10, unit: 'MB' },
      ],
      notes: {
        payments: counted.length,
        inDoubt: counted.length - sure.length,
        notSent: watched.notSent,
        toldP95: round(percentile(untilTold, 0.95)),
        ...cpuNotes(use, settled),
      },
      check: async () =>
        checkBooks(
          context,
          'CASH_OUT',
          new Map([['momo', { payments: authorized.length, totals: await provider.totals() }]]),
        ),
    };
  });
}
