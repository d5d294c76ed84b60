import { setTimeout as sleep } from 'node:timers/promises';
import { openWallets } from '../core/kora.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes } from '../harness/measure.ts';
import { offeredLoad } from '../load/offered-load.ts';
import { P2pSource } from '../load/p2p.ts';
import { percentile } from '../load/percentiles.ts';
import { Seeded } from '../load/seeded.ts';
import { type AuthorizedPayment, cashOut } from './cash-outs.ts';
import { checkBooks } from './check-books.ts';
import { withConnected } from './product.ts';
import { drainMs, windowMs } from './terms.ts';

/** On both connectors together, in turns. */
const perSecond = 200;

/**
 * `connectors.breaker`: payments on two connectors; in the middle the first one's provider stops answering (it takes
 * requests, and says nothing), its breaker opens, and its payments pile up. What the others' payments wait for, before and
 * meanwhile.
 */
export function run(context: CaseContext): Promise<Measured> {
  const { postmasterPid } = context;
  // The first payments of a process are slow, and would make what comes before the outage look as slow as it.
  const warmupMs = Math.max(context.warmupMs, 6_000);
  const phaseMs = windowMs(context);
  const breaker = { failuresMax: 5, openMs: 3_000, successesMin: 2 };
  return withConnected(context, ['broken', 'sound'], { breaker }, async ({ kora, providerOf, watched }) => {
    await openWallets(kora.runtime);
    await kora.projected();
    await context.checkpoint();
    await watched.start(kora.log);

    const source = new P2pSource();
    const authorized: AuthorizedPayment[] = [];
    const outageAt = performance.now() + warmupMs + phaseMs;
    const meter = new CpuMeter(postmasterPid, providerOf('sound').pid);
    const meanwhile = sleep(warmupMs + phaseMs).then(async () => {
      await providerOf('broken').outage('hang');
      meter.begin();
      await sleep(phaseMs);
      const use = meter.end();
      const { state } = await kora.runtime.connector('broken');
      await providerOf('broken').outage('none');
      return { use, state };
    });
    let turn = 0;
    await offeredLoad({
      perSecond,
      random: new Seeded(1_965),
      warmupMs,
      measureMs: 2 * phaseMs,
      send: async () => authorized.push(await cashOut(kora, turn++ % 2 === 0 ? 'broken' : 'sound', source.next())),
    });
    const { use, state } = await meanwhile;
    const waiting = authorized.length - watched.settledAt.size;
    mustHold(state !== 'CLOSED', 'the breaker did not open');
    await watched.settledCount(authorized.length, drainMs, kora.log);

    const sound = authorized.filter(({ provider, askedAt }) => provider === 'sound' && askedAt >= outageAt - phaseMs);
    const before = watched.ownMs(
      sound.filter(({ askedAt }) => askedAt < outageAt),
      providerOf,
    );
    const during = watched.ownMs(
      sound.filter(({ askedAt }) => askedAt >= outageAt),
      providerOf,
    );
    const made = (profile: string): number => authorized.filter(({ provider }) => provider === profile).length;
    return {
      figures: [0.5, 0.95].flatMap((part) => [
        { name: `connectors.breaker.before.p${part * 100}`, value: percentile(before, part), unit: 'ms' as const },
        { name: `connectors.breaker.during.p${part * 100}`, value: percentile(during, part), unit: 'ms' as const },
      ]),
      notes: { payments: sound.length, waiting, notSent: watched.notSent, ...cpuNotes(use, during.length) },
      check: async () => {
        const profiles = ['broken', 'sound'].map(
          async (profile) =>
            [profile, { payments: made(profile), totals: await providerOf(profile).totals() }] as const,
        );
        await checkBooks(context, 'CASH_OUT', new Map(await Promise.all(profiles)));
      },
    };
  });
}
