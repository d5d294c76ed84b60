import { accountsProjection } from '../../src/projections/accounts.projection.ts';
import { dropOldTables, rebuild } from '../../src/projections/index.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { P2pSource } from '../load/p2p.ts';
import { median } from '../load/percentiles.ts';
import { makePayments, openWallets, startProduct } from './kora.ts';

/** Of six events each: the log that is folded. */
const payments = 40_000;

/**
 * `core.rebuild`: events a second of `kora rebuild accounts`, from its call to the swapped view: folding, writing,
 * indexing, and comparing with the live table, while the product runs and nobody pays.
 */
export async function run(context: CaseContext): Promise<Measured> {
  const kora = await startProduct(context, ['doors', 'scheduler']);
  await openWallets(kora.runtime);
  await makePayments(kora.runtime, new P2pSource(), payments);
  await kora.projected();
  await context.checkpoint();

  const meter = new CpuMeter(context.postmasterPid);
  const speeds: number[] = [];
  const heapsMb: number[] = [];
  let events = 0;
  const once = async (): Promise<void> => {
    const startedAt = performance.now();
    const report = await rebuild({ log: kora.log, pool: kora.pool, projection: accountsProjection });
    const seconds = (performance.now() - startedAt) / 1_000;
    const end = await kora.log.lastPosition();
    mustHold(report.events === end, `${end} events are in the log, ${report.events} were folded`);
    for (const { table, onlyLive, onlyFresh, differing } of report.differences) {
      mustHold(onlyLive + onlyFresh + differing === 0, `table ${table} differs from what was live`);
    }
    await dropOldTables(kora.pool, accountsProjection);
    speeds.push(report.events / seconds);
    heapsMb.push(process.memoryUsage().heapUsed / 2 ** 20);
    events += report.events;
  };
  await once();
  [speeds.length, events] = [0, 0];
  meter.begin();
  const startedAt = performance.now();
  while (performance.now() - startedAt < context.measureMs) await once();
  const use = meter.end();
  await kora.close();
  return {
    figures: [{ name: 'core.rebuild', value: median(speeds), unit: 'events/s' }],
    notes: { rebuilds: speeds.length, ...cpuNotes(use, events), heapMaxMb: round(Math.max(...heapsMb), 0) },
  };
}
