import { mayVerifyIdentities } from '../../access.ts';
import { forbidden } from '../problem.ts';
import { type Access, type Answer, route } from '../route.ts';
import {
  sensitiveBody,
  sensitiveVerification,
  tokenBody,
  tokenVerification,
} from '../schemas/identity-verification.ts';

/** A service with a door of its own asks here who calls it: it knows no keys, no sessions and no devices. */
const services: Access = { roles: { service: 'any' }, scopes: ['identity:verify'] };
const verifyToken = route({
  method: 'POST',
  path: '/v1/identity/verify-token',
  operation: 'verifyToken',
  tag: 'services',
  summary: 'Whose a token is, and whether it is good now',
  description: 'For services of ours that have a door. Ended sessions and changed roles are in the answer.',
  body: tokenBody,
  answers: { 200: tokenVerification },
  access: services,
  handle: async ({ principal, body: { token, deviceId } }, { authenticator }) => {
    if (!mayVerifyIdentities(principal)) return forbidden;
    return answer(await authenticator.verify(token, deviceId));
  },
});

const verifySensitive = route({
  method: 'POST',
  path: '/v1/identity/verify-sensitive',
  operation: 'verifySensitive',
  tag: 'services',
  summary: 'Whether a device signed a request, now and for the first time',
  description:
    'For services of ours that have a door. What is good is good once, whichever door it came to: its nonce is spent here.',
  body: sensitiveBody,
  answers: { 200: sensitiveVerification },
  access: services,
  handle: async ({ principal, body, correlationId }, { authenticator, identity }) => {
    if (!mayVerifyIdentities(principal)) return forbidden;
    const { token, deviceId, address, timestamp, nonce, signature, ...request } = body;
    // The token once more: nobody is asked about whom the service does not hold one of, and what it brings (a device's key)
    // is known to this process.
    const caller = await authenticator.verify(token, deviceId);
    if (!caller.ok) return answer({ ok: false, code: 'SignatureRequired', message: caller.message });
    const verdict = await identity.verifySensitive(
      { principal: caller.principal, ...request, timestamp, nonce, signature },
      { address, correlationId },
    );
    return answer(verdict.ok ? { ok: true } : { ok: false, ...verdict.refusal });
  },
});

export const identityVerificationRoutes = [verifyToken, verifySensitive];

function answer(body: object): Answer {
  return { status: 200, body, headers: { 'cache-control': 'no-store' } };
}
