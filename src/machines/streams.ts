/**
 * Names of streams. A stream is named `<category>/<id>`; the id is what people see.
 *
 * - `payment/<id>`: one payment, written at its exact version.
 * - `account/<id>`: one wallet (customer, merchant, treasury), written at its exact version: it has a limit to guard.
 * - `system/<id>`: one system account (`float:cash:XOF` …), unconstrained: entries only, appended at any version.
 * - `request/<id>`: one command of somebody that does not make a payment, opened once: its existence makes a duplicate
 *   harmless, and refuses its key on another target.
 * - `payout/<id>`: one payout, whose slices are payments.
 * - `connector/<id>`: one connector's circuit breaker.
 */
export type PaymentStream = `payment/${string}`;
export type AccountStream = `account/${string}`;
export type SystemStream = `system/${string}`;
export type RequestStream = `request/${string}`;
export type PayoutStream = `payout/${string}`;
export type ConnectorStream = `connector/${string}`;
export type KoraStream = PaymentStream | AccountStream | SystemStream | RequestStream | PayoutStream | ConnectorStream;

export const paymentStream = (id: string): PaymentStream => `payment/${id}`;
export const accountStream = (id: string): AccountStream => `account/${id}`;
export const systemStream = (id: string): SystemStream => `system/${id}`;
export const requestStream = (id: string): RequestStream => `request/${id}`;
export const payoutStream = (id: string): PayoutStream => `payout/${id}`;
export const connectorStream = (id: string): ConnectorStream => `connector/${id}`;

/** The id behind a stream's category: `payment/p1` → `p1`. */
export function idOf(stream: string): string {
  return stream.slice(stream.indexOf('/') + 1);
}

/** The category of a stream: `payment/p1` → `payment`. */
export function categoryOf(stream: string): string {
  return stream.slice(0, stream.indexOf('/'));
}
