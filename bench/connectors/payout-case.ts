import type { Kora } from '../../src/composition.ts';
import { caller } from '../core/kora.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { currency } from '../load/p2p.ts';
import { percentile } from '../load/percentiles.ts';
import { Seeded } from '../load/seeded.ts';
import { checkBooks } from './check-books.ts';
import { withConnected } from './product.ts';
import { drainMs } from './terms.ts';

const slicesOfPayout = 200;
const sliceAmount = 10_000n;
const treasury = 'treasury';

/**
 * `connectors.slices`: payouts of 200 slices each, all there at once, from one treasury wallet, through the same provider.
 * The dispatcher takes as many as it has places for, so it is bounded by those, by the latency, or by the processor.
 */
export function run(context: CaseContext): Promise<Measured> {
  const payouts = Math.ceil(context.measureMs / 200);
  const slices = payouts * slicesOfPayout;
  const limits = { amountMax: String(sliceAmount) };
  return withConnected(context, ['momo'], { limits }, async ({ kora, providerOf, watched }) => {
    const provider = providerOf('momo');
    await openTreasury(kora, BigInt(slices) * sliceAmount);
    await context.checkpoint();
    await watched.start(kora.log);

    const meter = new CpuMeter(context.postmasterPid, provider.pid);
    meter.begin();
    const random = new Seeded(30);
    const askedAt = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: payouts }, () =>
        kora.runtime.execute(
          {
            type: 'CreatePayout',
            amount: BigInt(slicesOfPayout) * sliceAmount,
            currency,
            payer: treasury,
            provider: 'momo',
            beneficiary: 'beneficiary',
            idempotencyKey: random.uuid(),
          },
          caller,
        ),
      ),
    );
    for (const outcome of outcomes) mustHold(outcome.ok, `a payout was refused: ${JSON.stringify(outcome)}`);
    const createdMs = performance.now() - askedAt;
    // What is in doubt comes late, and is no part of how fast it goes.
    await watched.settledCount(Math.floor(slices * 0.95), drainMs, kora.log);
    const use = meter.end();
    const rss = process.memoryUsage.rss();
    await watched.settledCount(slices, drainMs, kora.log);
    const [told, settled] = [watched.toldAt, watched.settledAt].map((times) =>
      Float64Array.from(times.values()).sort(),
    ) as [Float64Array, Float64Array];
    mustHold(told.length === slices, `${told.length} of ${slices} slices were told`);
    return {
      figures: [
        { name: 'connectors.slices', value: perSecondBetween(settled, 0.1, 0.9), unit: 'slices/s' },
        {
          name: 'connectors.slices.told',
          value: (slices * 1_000) / (percentile(told, 1) - askedAt),
          unit: 'slices/s',
        },
        { name: 'connectors.slices.memory', value: rss / 2 ** 20, unit: 'MB' },
        { name: 'connectors.slices.memory.peak', value: process.resourceUsage().maxRSS / 2 ** 10, unit: 'MB' },
      ],
      notes: {
        slices,
        inDoubt: watched.inDoubt.size,
        notSent: watched.notSent,
        createdMs: round(createdMs),
        ...cpuNotes(use, Math.floor(slices * 0.95)),
      },
      check: async () =>
        checkBooks(context, 'PAYOUT', new Map([['momo', { payments: slices, totals: await provider.totals() }]])),
    };
  });
}

async function openTreasury({ runtime }: Kora, amount: bigint): Promise<void> {
  const opened = await runtime.execute(
    { type: 'OpenAccount', idempotencyKey: 'open', accountId: treasury, walletType: 'treasury', currency },
    caller,
  );
  mustHold(opened.ok, `preparing failed: ${JSON.stringify(opened)}`);
  const funded = await runtime.execute(
    {
      type: 'Pay',
      kind: 'FUNDING',
      idempotencyKey: 'fund',
      amount,
      currency,
      payee: treasury,
      provider: 'bank:AB',
      upTo: 'SETTLED',
    },
    caller,
  );
  mustHold(funded.ok, `preparing failed: ${JSON.stringify(funded)}`);
}

/** Between two shares of all: how it begins and how it ends are left out. */
function perSecondBetween(sorted: Float64Array, from: number, to: number): number {
  const [first, last] = [percentile(sorted, from), percentile(sorted, to)];
  return (sorted.length * (to - from) * 1_000) / (last - first);
}
