import { csvKind } from './csv/csv-connector.ts';
import type { ConnectorKind } from './kind.ts';
import type { LocalBank } from './local/local-bank.ts';
import { localKind } from './local/local-connector.ts';
import { restKind } from './rest/rest-connector.ts';

export type * from './bank-connector.ts';
export { keyOf, keyReference, NotSupportedError } from './bank-connector.ts';
export { alwaysClosed, type Breaker, type BreakerState } from './breaker.ts';
export type { About } from './calls.ts';
export { ConnectorConfigError } from './config-error.ts';
export type { BankCalendar, BankProfile } from './config-schema.ts';
export { type ConnectorsConfig, parseConnectorsConfig, readConnectorsConfig } from './connector-config.ts';
export type { Applied } from './fleet.ts';
export type {
  CallbackRefusalCode,
  CallbackRequest,
  CallbackVerdict,
  ConnectorGround,
  ConnectorKind,
  NonceStore,
  TakesCallbacks,
} from './kind.ts';
export { LocalBank, type LocalBehaviour, type LocalPayment } from './local/local-bank.ts';
export { CallLog, type CallLogOptions } from './postgres/call-log.ts';
export { PostgresNonces } from './postgres/nonces.ts';
export { writeRegistry } from './postgres/registry.ts';
export { SettlementCalendar } from './calendar.ts';
export { ConnectorManager, type ConnectorView, type ManagerOptions } from './manager.ts';
export type { ConnectorCall, ConnectorObserver, ConnectorOperation, SpanAttributes, Tracing } from './observing.ts';
export { noObserver, noTracing } from './observing.ts';
export { codeOf, type NotSentCode } from './reasons.ts';
export { resolveConnectorConfig, Secret, type SecretSources } from './secrets.ts';
export type { Misfit, Selection, Wanted } from './selection.ts';

/** Every kind that there is. @param bank of all `local` connectors; default: each has one of its own */
export function connectorKinds(bank?: LocalBank): readonly ConnectorKind[] {
  return [restKind, localKind(bank), csvKind];
}
