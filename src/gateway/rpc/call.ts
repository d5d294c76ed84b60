import { randomUUID } from 'node:crypto';
import { Code, ConnectError, createContextKey, type HandlerContext } from '@connectrpc/connect';
import type { Caller } from '../../actors/requests.ts';
import type { Authenticator, AuthVerdict, Principal } from '../principal.ts';
import type { Scope } from '../scopes.ts';
import { bearerToken } from '../service-token.ts';
import type { DoorLog } from './door-log.ts';
import { outcomeUnknown, refusalError } from './errors.ts';
import { FieldReader } from './field-reader.ts';
import { hasOneOf, missingScope } from './method-scopes.ts';
import { certificateKey } from './connection-certificate.ts';
import { readCommand, type WireCommand } from './read-command.ts';

/** Ties calls together. Taken from the caller or made here, and sent back with every answer. */
export const CORRELATION_HEADER = 'kora-correlation-id';

const callerKey = createContextKey<Caller | undefined>(undefined, { description: 'who calls' });
const principalKey = createContextKey<Principal | undefined>(undefined, { description: 'what the token says' });

export interface GateParts {
  readonly authenticator: Authenticator;
  /** Whether a token is only taken over a certificate that bears the name of its service. */
  readonly boundToCertificate: boolean;
  /** Aborted when the door takes no more calls. */
  readonly closing: AbortSignal;
  readonly log: DoorLog;
}

/**
 * Runs when a call's headers are there and nothing of its body has been read: who calls is settled before a byte is
 * parsed. Throws where the call is not taken.
 *
 * @param scopesOf what the method needs of a token, one of them; undefined where any token will do
 */
export function requestGate(
  { authenticator, boundToCertificate, closing, log }: GateParts,
  scopesOf: (method: HandlerContext['method']) => readonly Scope[] | undefined,
): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const fields = new FieldReader();
    const given = context.requestHeader.get(CORRELATION_HEADER);
    const correlationId = given === null ? randomUUID() : fields.correlationId(CORRELATION_HEADER, given);
    if (fields.wrong !== undefined) throw refusalError(fields.wrong);
    context.responseHeader.set(CORRELATION_HEADER, correlationId);
    if (closing.aborted) throw new ConnectError('Kora is shutting down: send it to another process', Code.Unavailable);
    let verdict: AuthVerdict;
    try {
      verdict = await authenticator.verify(bearerToken(context.requestHeader.get('authorization')));
    } catch (error) {
      log.error({ err: error, correlationId, method: context.method.name }, 'a token could not be verified');
      throw new ConnectError('tokens cannot be verified now, nothing was begun: try again', Code.Unavailable);
    }
    // Only people have devices, and here nobody asks for one: to ask for it now would lead them on.
    if (!verdict.ok && verdict.reason === 'wrong-device') throw forServices();
    if (!verdict.ok) throw new ConnectError(verdict.message, Code.Unauthenticated);
    const by = verdict.principal;
    if (!by.roles.includes('service')) throw forServices();
    const wrongCertificate =
      boundToCertificate && context.values.get(certificateKey)?.speaksFor(serviceOf(by)) !== true;
    if (wrongCertificate) {
      const message = `the certificate of this connection does not bear the name ${serviceOf(by)} of the token's service`;
      throw new ConnectError(message, Code.Unauthenticated);
    }
    const scopes = scopesOf(context.method);
    if (scopes !== undefined && !hasOneOf(by, scopes)) throw lacking(scopes);
    const { tenant, principal } = by;
    context.values.set(callerKey, { tenant, principal, correlationId });
    context.values.set(principalKey, by);
  };
}

function forServices(): ConnectError {
  return new ConnectError('this door is for services: people use the http door', Code.PermissionDenied);
}

function serviceOf({ principal }: Principal): string {
  return principal.slice('service:'.length);
}

/** Who makes this call, as the gate found. */
export function callerOf({ values }: HandlerContext): Caller {
  return throughTheGate(values.get(callerKey));
}

/** @throws ConnectError where the caller's token has not every scope that these commands need: then none is begun */
export function mayCommand({ values }: HandlerContext, commands: readonly { readonly command: OneCommand }[]): void {
  const principal = throughTheGate(values.get(principalKey));
  // Most tokens may everything, and a batch has ten thousand commands.
  if (principal.scopes === undefined) return;
  for (const { command } of commands) {
    // What cannot be read is refused in its place; nothing of it is carried out.
    if (command.case === undefined) continue;
    const missing = missingScope(principal, command.case, readCommand(command, new FieldReader()));
    if (missing !== undefined) throw lacking(missing);
  }
}

type OneCommand = WireCommand | { readonly case: undefined };

function lacking(scopes: readonly Scope[]): ConnectError {
  return new ConnectError(
    `the token has not the scope ${scopes.join(' or ')}, which this needs`,
    Code.PermissionDenied,
  );
}

function throughTheGate<T>(found: T | undefined): T {
  if (found === undefined) throw new ConnectError('the call did not come through the gate', Code.Internal);
  return found;
}

/** @throws ConnectError where the caller has given up already: then nothing must be begun */
export function stillAwaited({ signal }: HandlerContext): void {
  if (signal.aborted) throw new ConnectError('its time was over before anything was begun', Code.DeadlineExceeded);
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
