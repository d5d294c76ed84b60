import type { FastifyRequest } from 'fastify';
import type { Authenticator, Principal } from '../principal.ts';
import { bearerToken } from '../service-token.ts';
import { hasBadCorrelationId } from './correlation.ts';
import { problem, ProblemError } from './problem.ts';
import type { Access } from './route.ts';
import { unboundReason } from './tls.ts';

const DEVICE_CHARS_MAX = 128;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, from the gate on; undefined on public routes. */
    principal: Principal | undefined;
    /** The bytes of the body as they came. */
    rawBody: Buffer | undefined;
  }
}

/** Refuses a request whose correlation id cannot be one: an id that is changed on the way ties nothing together. */
export function checkCorrelationId(request: FastifyRequest): void {
  if (!hasBadCorrelationId(request.raw)) return;
  const detail = 'Kora-Correlation-Id: 1 to 128 printable characters of ASCII, without spaces';
  throw new ProblemError(problem('Invalid', detail, { figures: { field: 'Kora-Correlation-Id' } }));
}

/**
 * Settles who calls, before a byte of the body is read. Throws a `ProblemError` where nobody is let in.
 *
 * @param bound a service's token is taken only over a certificate of the service
 */
export async function authenticate(
  request: FastifyRequest,
  authenticator: Authenticator,
  bound: boolean,
): Promise<Principal> {
  const device = request.headers['kora-device'];
  const deviceId = typeof device === 'string' && device.length <= DEVICE_CHARS_MAX ? device : undefined;
  const token = bearerToken(request.headers.authorization);
  const verdict = await authenticator.verify(token, deviceId).catch((error: unknown) => {
    throw new ProblemError(
      problem('Unavailable', 'who calls cannot be checked now: send it again', { headers: { 'retry-after': '1' } }),
      { cause: error },
    );
  });
  const unbound = verdict.ok && bound ? unboundOf(request, verdict.principal) : undefined;
  if (verdict.ok && unbound === undefined) return verdict.principal;
  const { reason, message } = verdict.ok ? { reason: 'certificate', message: unbound ?? '' } : verdict;
  const challenge = reason === 'missing' ? 'Bearer' : 'Bearer error="invalid_token"';
  throw new ProblemError(
    problem('Unauthenticated', message, { figures: { reason }, headers: { 'www-authenticate': challenge } }),
  );
}

function unboundOf({ raw }: FastifyRequest, { principal, roles }: Principal): string | undefined {
  if (!roles.includes('service')) return undefined;
  return unboundReason(raw, principal.slice('service:'.length));
}

/** Whether the route is for this caller at all: a role that it names, and for services one of its scopes. */
export function mayCall({ roles, scopes }: Access, principal: Principal): boolean {
  const roled = principal.roles.filter((role) => roles[role] !== undefined);
  if (roled.length === 0) return false;
  if (!roled.includes('service') || principal.scopes === undefined) return true;
  return scopes.some((scope) => principal.scopes?.includes(scope) === true);
}

/** The same answer whatever the call names: it does not tell whether that is there. */
export function authorize(access: Access, principal: Principal): void {
  if (mayCall(access, principal)) return;
  throw new ProblemError(problem('Forbidden', 'this token is not for this call'));
}
