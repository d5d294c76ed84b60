import type { CaseContext, Measured } from '../harness/case.ts';
import { measureRpc } from './rpc.ts';

/** `core.rpcBatch100`: payments through the rpc door, a hundred in a call, as many at work as in `core.accepted`. */
export function run(context: CaseContext): Promise<Measured> {
  return measureRpc(context, 'core.rpcBatch100', { perCall: 100, callsInFlight: 20 });
}
