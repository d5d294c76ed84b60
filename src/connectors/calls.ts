import { performance } from 'node:perf_hooks';
import type { BankPaymentStatus, BankSendResult, HealthCheckResult, PayoutSlice } from './bank-connector.ts';
import type { ConnectorCall, ConnectorObserver, ConnectorOperation, SpanAttributes, Tracing } from './observing.ts';
import { codeOf, errorCode } from './reasons.ts';
import { Overdue, type RunningConnector } from './running-connector.ts';

export interface Watching {
  readonly tracing: Tracing;
  readonly observer: ConnectorObserver;
  readonly now: () => number;
  readonly onTrouble: (error: unknown, what: string) => void;
}

/** What a call tells of the connector: that it works, that it does not and why, or nothing. */
export type Verdict = { readonly works: true } | { readonly works: false; readonly reason: string } | undefined;

/** One attempt to send. A kind that throws, or does not come back, leaves the payment in doubt. */
export function callSend(running: RunningConnector, slice: PayoutSlice, watching: Watching): Promise<BankSendResult> {
  const beginWithinMs = Date.parse(slice.sendBefore) - watching.now();
  return watched(running, 'sendPayment', { traceId: slice.traceId, sliceId: slice.id }, watching, {
    call: () => running.guarded(beginWithinMs, () => running.connector.sendPayment(slice)),
    fault: (reason): BankSendResult => ({ outcome: 'unknown', reason }),
    verdict: sendVerdict,
    providerRef: (result) => (result.outcome === 'accepted' ? result.providerRef : undefined),
  });
}

export function callStatus(
  running: RunningConnector,
  reference: string,
  about: About,
  watching: Watching,
): Promise<BankPaymentStatus> {
  return watched(running, 'getPaymentStatus', about, watching, {
    call: () => running.guarded(0, () => running.connector.getPaymentStatus(reference)),
    fault: (reason): BankPaymentStatus => ({ status: 'unknown', reason }),
    verdict: (result) => (result.status === 'unknown' ? { works: false, reason: result.reason } : undefined),
    providerRef: (result) => ('providerRef' in result ? result.providerRef : undefined),
  });
}

export function callHealth(running: RunningConnector, watching: Watching): Promise<HealthCheckResult> {
  const started = performance.now();
  return watched(running, 'healthcheck', { traceId: '' }, watching, {
    call: () => running.guarded(0, () => running.connector.healthcheck()),
    fault: (detail): HealthCheckResult => ({ healthy: false, latencyMs: performance.now() - started, detail }),
    verdict: ({ healthy, detail }) => (healthy ? undefined : { works: false, reason: detail ?? 'Unhealthy' }),
    providerRef: () => undefined,
  });
}

/** Of a payment, for who reads logs. */
export interface About {
  readonly traceId: string;
  readonly sliceId?: string;
}

/** Only sending can speak for a connector: a status page that works says nothing of a payment endpoint that does not. */
export function sendVerdict(result: BankSendResult): Verdict {
  switch (result.outcome) {
    case 'accepted':
      return { works: true };
    case 'refused':
      return result.ofConnector === true ? { works: false, reason: `Refused: ${result.code}` } : { works: true };
    case 'unknown':
      return { works: false, reason: result.reason };
    case 'not_sent':
      // We were late, or have no place: that is not the provider's doing.
      return ['TooLate', 'Unsendable', 'Locked', 'Stopping'].includes(codeOf(result.reason))
        ? undefined
        : { works: false, reason: result.reason };
  }
}

interface Watched<Result> {
  readonly call: () => Promise<Result>;
  readonly fault: (reason: string) => Result;
  readonly verdict: (result: Result) => Verdict;
  readonly providerRef: (result: Result) => string | undefined;
}

/** A call in its span, timed and reported. */
function watched<Result>(
  { config: { id, type }, connector }: RunningConnector,
  operation: ConnectorOperation,
  { traceId, sliceId }: About,
  { tracing, observer, onTrouble }: Watching,
  { call, fault, verdict, providerRef }: Watched<Result>,
): Promise<Result> {
  const attributes: SpanAttributes = {
    connector_id: id,
    connector_type: type,
    ...(sliceId === undefined ? {} : { payout_slice_id: sliceId }),
  };
  return tracing.span(`connector.${operation}`, attributes, async () => {
    const started = performance.now();
    const result = await call().catch((error: unknown) => {
      if (error instanceof Overdue) return fault(`Timeout: ${error.message}`);
      onTrouble(error, `${connector.type} connector ${id}: ${operation}`);
      // Not what it says, which may quote a secret, and ends in the log for ever.
      return fault(`Fault: ${errorCode(error)}`);
    });
    const found = verdict(result);
    const ref = providerRef(result);
    const report: ConnectorCall = {
      connector_id: id,
      connector_type: type,
      operation,
      trace_id: traceId,
      duration_ms: performance.now() - started,
      status: found?.works === false ? 'failed' : 'success',
      ...(ref === undefined ? {} : { provider_ref: ref }),
      ...(sliceId === undefined ? {} : { payout_slice_id: sliceId }),
      ...(found?.works === false ? { reason: found.reason } : {}),
    };
    try {
      tracing.span('log.execution', {}, () => observer.called(report));
    } catch (error) {
      // What was answered must reach the payment, whoever cannot write it down.
      onTrouble(error, `connector ${id}: the observer of calls`);
    }
    return result;
  });
}
