import type { HandlerContext } from '@connectrpc/connect';
import type { Caller } from '../../actors/requests.ts';
import type { Outcome } from '../../actors/runtime.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { callerOf, mayCommand, stillAwaited } from './call.ts';
import { faultOf, refusalError } from './errors.ts';
import { answered, callerWith, type DoorParts } from './execute.ts';
import { FieldReader } from './field-reader.ts';
import type {
  BatchRequest,
  BatchResponse,
  Command,
  CommandResult,
  CommandResult_Done,
  CommandResult_Refused,
} from './gen/kora/v1/payment_pb.js';
import { readCommand } from './read-command.ts';
import { wireRefusal } from './wire-refusal.ts';
import { wireAccount, wirePayment, wirePayout } from './wire-views.ts';

/**
 * Carries out a batch: all commands are handed to the runtime in this turn, in their order, so that they go into the same
 * commits; each is answered in its place. The batch is answered when the last of them is.
 */
export async function executeBatch(
  { commands }: BatchRequest,
  context: HandlerContext,
  parts: DoorParts,
): Promise<BatchResponse> {
  const { batchCommandsMax } = parts.limits;
  if (commands.length > batchCommandsMax) {
    const message = `commands: ${commands.length} in one batch, ${batchCommandsMax} at most: send several batches`;
    throw refusalError({ code: 'Invalid', field: 'commands', message });
  }
  mayCommand(context, commands);
  stillAwaited(context);
  const caller = callerOf(context);
  const results = await answered(resultsOf(commands, caller, parts), context, parts, caller);
  return { $typeName: 'kora.v1.BatchResponse', results };
}

/** One promise for the whole batch: ten thousand more would cost as much as the rest of the door. */
function resultsOf(commands: readonly Command[], caller: Caller, parts: DoorParts): Promise<CommandResult[]> {
  if (commands.length === 0) return Promise.resolve([]);
  return new Promise((resolve) => {
    const results = new Array<CommandResult>(commands.length);
    let open = commands.length;
    const faults: unknown[] = [];
    const answer = (index: number, result: CommandResult['result']): void => {
      results[index] = { $typeName: 'kora.v1.CommandResult', result };
      open -= 1;
      if (open > 0) return;
      if (faults.length > 0) {
        // Once for the batch: where the log is gone, every one of ten thousand commands comes to the same fault.
        const details = { err: faults[0], faults: faults.length, correlationId: caller.correlationId };
        parts.log.error(details, 'commands of a batch came to a fault');
      }
      resolve(results);
    };
    commands.forEach((command, index) => {
      const fault = (error: unknown): void => {
        faults.push(error);
        answer(index, faulty(error));
      };
      const carriedOut = (outcome: Outcome): void => {
        let result: CommandResult['result'];
        try {
          result = resultOf(outcome);
        } catch (error) {
          fault(error);
          return;
        }
        answer(index, result);
      };
      try {
        const wrong = hand(command, caller, parts, carriedOut, fault);
        if (wrong !== undefined) answer(index, { case: 'refused', value: refusedOf({ refusal: wrong }) });
      } catch (error) {
        fault(error);
      }
    });
  });
}

/** Hands one command to the runtime, or returns what is wrong with it. */
function hand(
  { command, correlationId, $unknown: unknown }: Command,
  caller: Caller,
  { runtime }: DoorParts,
  answer: (outcome: Outcome) => void,
  fault: (error: unknown) => void,
): Refusal | undefined {
  const fields = new FieldReader();
  if (command.case === undefined) {
    const reason = unknown === undefined ? 'is missing: set one' : 'is not known to this version of Kora';
    fields.fail('command', reason);
    return fields.wrong;
  }
  const request = readCommand(command, fields);
  const by = callerWith(caller, command, fields, correlationId);
  if (fields.wrong !== undefined) return fields.wrong;
  runtime.execute(request, by).then(answer, fault);
  return undefined;
}

function resultOf(outcome: Outcome): CommandResult['result'] {
  if (!outcome.ok) return { case: 'refused', value: refusedOf(outcome) };
  const { payment, account, payout, position = 0, duplicate } = outcome;
  let subject: CommandResult_Done['subject'] = { case: undefined };
  if (payment !== undefined) subject = { case: 'payment', value: wirePayment(payment, 'with failure') };
  else if (payout !== undefined) subject = { case: 'payout', value: wirePayout(payout, 'with failure') };
  else if (account !== undefined) subject = { case: 'account', value: wireAccount(account) };
  return {
    case: 'done',
    value: { $typeName: 'kora.v1.CommandResult.Done', subject, position: BigInt(position), duplicate },
  };
}

function refusedOf({
  refusal,
  payment,
  payout,
  position = 0,
  duplicate = false,
}: Pick<Outcome & { ok: false }, 'refusal' | 'payment' | 'payout' | 'position'> & {
  duplicate?: boolean;
}): CommandResult_Refused {
  return {
    $typeName: 'kora.v1.CommandResult.Refused',
    refusal: wireRefusal(refusal),
    position: BigInt(position),
    duplicate,
    ...(payment !== undefined && { payment: wirePayment(payment, 'without failure') }),
    ...(payout !== undefined && { payout: wirePayout(payout, 'without failure') }),
  };
}

function faulty(error: unknown): CommandResult['result'] {
  const { name: code, message } = faultOf(error);
  return { case: 'fault', value: { $typeName: 'kora.v1.CommandResult.Fault', code, message } };
}
