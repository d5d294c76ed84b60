import { ConnectError, type HandlerContext } from '@connectrpc/connect';
import type { Caller } from '../../actors/requests.ts';
import type { Outcome, Runtime } from '../../actors/runtime.ts';
import type { PayoutDetails } from '../../payments/index.ts';
import { callerOf, mayCommand, stillAwaited, within } from './call.ts';
import type { DoorLog } from './door-log.ts';
import { faultError, refusalError } from './errors.ts';
import { FieldReader } from './field-reader.ts';
import type { RpcLimits } from './limits.ts';
import { readCommand, type WireCommand } from './read-command.ts';

/** What the door needs of the runtime. */
export interface RpcRuntime extends Pick<Runtime, 'execute' | 'payment' | 'account'> {
  /** With each of its slices as it is now. */
  payout(id: string): Promise<PayoutDetails | undefined>;
}

export interface DoorParts {
  readonly runtime: RpcRuntime;
  readonly limits: RpcLimits;
  readonly log: DoorLog;
}

/** Carries out the command of a single call. Throws its refusal, or its fault, as the error of the call. */
export async function executeOne(
  command: WireCommand,
  context: HandlerContext,
  parts: DoorParts,
): Promise<Outcome & { readonly ok: true }> {
  const fields = new FieldReader();
  const request = readCommand(command, fields);
  const caller = callerWith(callerOf(context), command, fields);
  if (fields.wrong !== undefined) throw refusalError(fields.wrong);
  mayCommand(context, [{ command }]);
  stillAwaited(context);
  const outcome = await answered(parts.runtime.execute(request, caller), context, parts, caller);
  if (!outcome.ok) throw refusalError(outcome.refusal, outcome);
  return outcome;
}

/** Waits for the work of a call; a fault is logged with all that is known, and told with nothing of it. */
export async function answered<T>(
  work: Promise<T>,
  context: HandlerContext,
  { limits, log }: DoorParts,
  { correlationId }: Caller,
): Promise<T> {
  try {
    return await within(work, context, limits.callMsMax);
  } catch (error) {
    // Ours, and said already.
    if (error instanceof ConnectError) throw error;
    log.error({ err: error, correlationId, method: context.method.name }, 'a call came to a fault');
    throw faultError(error);
  }
}

/** The caller of one command: as the call says, but for what the command says itself. */
export function callerWith(
  caller: Caller,
  { value: { effectiveAt } }: WireCommand,
  fields: FieldReader,
  correlationId?: string,
): Caller {
  if (effectiveAt === undefined && correlationId === undefined) return caller;
  return {
    ...caller,
    ...(correlationId !== undefined && { correlationId: fields.correlationId('correlationId', correlationId) }),
    ...(effectiveAt !== undefined && { effectiveAt: fields.effectiveAt(effectiveAt) }),
  };
}
