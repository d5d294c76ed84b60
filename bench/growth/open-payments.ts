import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { caller, openWallets, payRequest, startProduct } from '../core/kora.ts';
import { type CaseContext, type Figure, type Measured, mustHold } from '../harness/case.ts';
import { round } from '../harness/measure.ts';
import { P2pSource } from '../load/p2p.ts';

/** Open payments at which memory is looked at: the first when the actors in memory are as many as they may be. */
const looks = { '2e5': 200_000, '1e6': 1_000_000 } as const;
const lanes = 1_500;

/**
 * `growth.open.<number>`: resident memory of the process, after a collection, while so many payments are authorized and
 * not captured. Projections and the scheduler run, as they do in `kora serve`.
 */
export async function run(context: CaseContext): Promise<Measured> {
  const kora = await startProduct(context, ['doors']);
  await openWallets(kora.runtime);
  const source = new P2pSource();
  const figures: Figure[] = [];
  const notes: Record<string, number> = {};
  let open = 0;
  const authorize = async (upTo: number): Promise<void> => {
    while (open < upTo) {
      open += 1;
      const p2p = source.next();
      const request = { ...payRequest(p2p), upTo: 'AUTHORIZED' } as const;
      const outcome = await kora.runtime.execute(request, { ...caller, correlationId: p2p.key });
      mustHold(outcome.ok, 'a payment was not authorized');
    }
  };
  for (const [name, count] of Object.entries(looks)) {
    await Promise.all(Array.from({ length: lanes }, () => authorize(count)));
    await kora.projected();
    collect();
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    figures.push({ name: `growth.open.${name}`, value: rss / 2 ** 20, unit: 'MB' });
    notes[`heapMb.${name}`] = round(heapUsed / 2 ** 20, 0);
    // What it once needed Node does not give back at once: where this grew and the heap did not, it is that.
    notes[`heapTotalMb.${name}`] = round(heapTotal / 2 ** 20, 0);
    notes[`residents.${name}`] = kora.runtime.residents;
  }
  const { rows } = await kora.pool.query<{ open: string }>(
    `select count(*) as open from projections.payments where status = 'AUTHORIZED'`,
  );
  mustHold(Number(rows[0]?.open) === open, `${open} payments were authorized, ${rows[0]?.open ?? 0} are open`);
  await kora.close();
  return { figures, notes };
}

/** What is left is what is held. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time++) gc();
}
