import { randomUUID } from 'node:crypto';
import { Code, ConnectError, createContextKey, type HandlerContext } from '@connectrpc/connect';
import type { Caller } from '../../actors/requests.ts';
import { bearerToken, type TokenVerifier } from '../service-token.ts';
import { outcomeUnknown, refusalError } from './errors.ts';
import { FieldReader } from './field-reader.ts';

/** Ties calls together. Taken from the caller or made here, and sent back with every answer. */
const CORRELATION_HEADER = 'x-correlation-id';

const callerKey = createContextKey<Caller | undefined>(undefined, { description: 'who calls' });

/**
 * Runs when a call's headers are there and nothing of its body has been read: who calls is settled before a byte is
 * parsed. Throws where the call is not taken.
 *
 * @param closing aborted when the door takes no more calls
 */
export function requestGate(tokens: TokenVerifier, closing: AbortSignal): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const fields = new FieldReader();
    const given = context.requestHeader.get(CORRELATION_HEADER);
    const correlationId = given === null ? randomUUID() : fields.correlationId(CORRELATION_HEADER, given);
    if (fields.wrong !== undefined) throw refusalError(fields.wrong);
    context.responseHeader.set(CORRELATION_HEADER, correlationId);
    if (closing.aborted) throw new ConnectError('Kora is shutting down: send it to another process', Code.Unavailable);
    const verdict = await tokens.verify(bearerToken(context.requestHeader.get('authorization')));
    if (!verdict.ok) throw new ConnectError(verdict.message, Code.Unauthenticated);
    const { tenant, principal } = verdict.identity;
    context.values.set(callerKey, { tenant, principal, correlationId });
  };
}

/** Who makes this call, as the gate found. */
export function callerOf(context: HandlerContext): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) throw new ConnectError('the call did not come through the gate', Code.Internal);
  return caller;
}

/**
 * Waits for the work of a call as long as its caller does, and `callMsMax` at most. What is at work goes on: a command
 * that the runtime has taken cannot be called back, so its outcome is unknown to this caller.
 */
export function within<T>(work: Promise<T>, context: HandlerContext, callMsMax: number): Promise<T> {
  const { signal } = context;
  return new Promise<T>((resolve, reject) => {
    const tooLate = (): void => reject(new ConnectError(`no answer in time: ${outcomeUnknown}`, Code.DeadlineExceeded));
    const timer = setTimeout(tooLate, callMsMax);
    signal.addEventListener('abort', tooLate);
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', tooLate);
    };
    if (signal.aborted) tooLate();
    work.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- handed on as it came
        reject(error);
      },
    );
  });
}
