import type { ConnectorType } from './bank-connector.ts';

export type ConnectorOperation = 'sendPayment' | 'getPaymentStatus' | 'healthcheck';

/** One call of a connector, in the words of the specification: a row of `bank_connector_logs`, a log line, a measurement. */
export interface ConnectorCall {
  readonly connector_id: string;
  readonly connector_type: ConnectorType;
  readonly operation: ConnectorOperation;
  readonly trace_id: string;
  readonly duration_ms: number;
  /** `success`: the provider answered, also with a final "no". */
  readonly status: 'success' | 'failed';
  readonly provider_ref?: string;
  readonly payout_slice_id?: string;
  /** Of `failed`: why, as the result says it. */
  readonly reason?: string;
}

/** Told of every call when it is over. It must not wait for anything: a payment's answer would wait with it. */
export interface ConnectorObserver {
  called(call: ConnectorCall): void;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Spans nest by where `work` runs (OpenTelemetry's context). A promise that `work` returns ends its span when it settles. */
export interface Tracing {
  span<Result>(name: string, attributes: SpanAttributes, work: () => Result): Result;
}

export const noTracing: Tracing = { span: (_name, _attributes, work) => work() };
export const noObserver: ConnectorObserver = { called: () => undefined };
