import type { CaseContext, Measured } from '../harness/case.ts';
import { measureRpc } from './rpc.ts';

/** `core.rpcSingle`: payments through the rpc door, one in a call. */
export function run(context: CaseContext): Promise<Measured> {
  return measureRpc(context, 'core.rpcSingle', { perCall: 1, callsInFlight: 200 });
}
