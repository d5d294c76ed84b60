import type { CallbackRequest, CallbackVerdict, NonceStore } from '../kind.ts';
import type { Secret } from '../secrets.ts';
import { isPayment, parse, statusOf } from './messages.ts';
import type { RestSettings } from './settings.ts';
import { sameSignature, signCallback } from './signature.ts';

export interface CallbackRules extends Pick<RestSettings, 'headers' | 'callbackWithinMs' | 'elsewhereCodes'> {
  /** A signature by any of them is good. */
  readonly secrets: readonly Secret[];
  /** Of its nonces: the connector. */
  readonly scope: string;
  readonly nonces: NonceStore;
  readonly now: () => number;
}

const TIMESTAMP = /^[0-9]{1,15}$/;
const NONCE = /^[A-Za-z0-9_-]{16,64}$/;

/**
 * Whether a callback is the provider's, in time and for the first time. The nonce is claimed last: who cannot sign must not
 * be able to use up what the provider will send.
 */
export async function readCallback({ headers, body }: CallbackRequest, rules: CallbackRules): Promise<CallbackVerdict> {
  const [timestamp, nonce, signature] = (['timestamp', 'nonce', 'signature'] as const).map((name) => {
    const value = headers[rules.headers[name]];
    return typeof value === 'string' ? value : undefined;
  });
  if (timestamp === undefined || nonce === undefined || signature === undefined) return refused('SignatureMissing');
  if (!TIMESTAMP.test(timestamp) || !NONCE.test(nonce)) return refused('SignatureMissing');
  const genuine = rules.secrets.some((secret) =>
    sameSignature(signCallback(secret.reveal(), { timestamp, nonce, body }), signature),
  );
  if (!genuine) return refused('SignatureWrong');
  const sentAt = Number(timestamp);
  if (Math.abs(rules.now() - sentAt) > rules.callbackWithinMs) return refused('Stale');
  const said = parse(body);
  if (!isPayment(said)) return refused('Unreadable');
  // Later than that the time-stamp alone refuses it.
  const until = new Date(sentAt + rules.callbackWithinMs + 1_000);
  if (!(await rules.nonces.claim(rules.scope, nonce, until))) return refused('Replayed');
  return { outcome: 'read', reference: said.reference, providerRef: said.id, status: statusOf(said, rules) };
}

function refused(code: Extract<CallbackVerdict, { outcome: 'refused' }>['code']): CallbackVerdict {
  return { outcome: 'refused', code };
}
