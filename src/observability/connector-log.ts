import type { Logger } from '../platform/logging.ts';

/** One call of a connector, as it is logged and counted. The names are the specification's. */
export interface ConnectorCall {
  readonly connector_id: string;
  readonly connector_type: string;
  /** `sendPayment`, `getPaymentStatus`, `healthcheck` …: the methods of the interface, nothing made up per call. */
  readonly operation: string;
  readonly trace_id: string;
  readonly duration_ms: number;
  /** `success`, `failed`, and what else the connectors call it: few words. */
  readonly status: string;
  readonly provider_ref?: string;
  readonly payout_slice_id?: string;
  /** Of `failed`: why, in the words of the connector. */
  readonly reason?: string;
}

/** Writes one line for each call of a connector. With `timestamp` and `level` it has the specification's fields. */
export function connectorLog(logger: Logger): (call: ConnectorCall) => void {
  return (call) => {
    // Only what is named here, whatever else the record carries.
    const {
      connector_id,
      connector_type,
      operation,
      trace_id,
      duration_ms,
      status,
      provider_ref,
      payout_slice_id,
      reason,
    } = call;
    const line = {
      connector_id,
      connector_type,
      operation,
      trace_id,
      duration_ms: Math.round(duration_ms),
      status,
      ...(provider_ref !== undefined && { provider_ref }),
      ...(payout_slice_id !== undefined && { payout_slice_id }),
      ...(reason !== undefined && { reason }),
    };
    if (status === 'success') logger.info(line, 'a connector was called');
    else logger.warn(line, 'a connector was called');
  };
}
