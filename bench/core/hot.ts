import type { CaseContext, Measured } from '../harness/case.ts';
import { P2pSource } from '../load/p2p.ts';
import { measureAccepted } from './accepted.ts';

/** `core.hot`: as `core.accepted`, but every payment debits the same wallet. */
export function run(context: CaseContext): Promise<Measured> {
  return measureAccepted(context, 'core.hot', new P2pSource({ hot: true }));
}
