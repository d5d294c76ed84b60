import type { CaseContext, Measured } from '../harness/case.ts';
import { measure, round } from '../harness/measure.ts';
import { P2pSource } from '../load/p2p.ts';
import { checkLog } from './check-log.ts';
import { openWallets, pay, startProduct } from './kora.ts';

/** Requests at work at the same time: enough for one commit to be decided while another is on its way to the disk. */
export const inFlight = 1_500;

/** `core.accepted`: durable P2P payments, four transitions in one unit, called in process. */
export function run(context: CaseContext): Promise<Measured> {
  return measureAccepted(context, 'core.accepted', new P2pSource());
}

export async function measureAccepted(context: CaseContext, name: string, source: P2pSource): Promise<Measured> {
  const kora = await startProduct(context, ['doors', 'projector', 'scheduler']);
  await openWallets(kora.runtime);
  await context.checkpoint();
  const result = await measure(context, { inFlight, send: () => pay(kora.runtime, source.next()) });
  await kora.close();
  const perCommit = round(await checkLog(context, result.answered), 0);
  return {
    figures: [{ name, value: result.perSecond, unit: 'payments/s' }],
    notes: { ...result.notes, perCommit },
  };
}
