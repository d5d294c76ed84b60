import { csvKind } from './csv/csv-connector.ts';
import type { ConnectorKind } from './kind.ts';
import type { LocalBank } from './local/local-bank.ts';
import { localKind } from './local/local-connector.ts';
import { iso20022Kind } from './iso20022/iso20022-connector.ts';
import { mt940Kind } from './mt940/mt940-connector.ts';
import { restKind } from './rest/rest-connector.ts';

export type * from './bank-connector.ts';
export { keyReference } from './bank-connector.ts';
export { type Breaker, type BreakerState } from './breaker.ts';
export { type ConnectorsConfig, parseConnectorsConfig, readConnectorsConfig } from './connector-config.ts';
export type { CallbackRequest, CallbackVerdict, ConnectorKind, NonceStore } from './kind.ts';
export { LocalBank } from './local/local-bank.ts';
export { CallLog } from './postgres/call-log.ts';
export { PostgresNonces } from './postgres/nonces.ts';
export { writeRegistry } from './postgres/registry.ts';
export { SettlementCalendar } from './calendar.ts';
export { ConnectorManager, type ManagerOptions } from './manager.ts';
export type { ConnectorCall, ConnectorObserver, Tracing } from './observing.ts';
export { noTracing } from './observing.ts';
export type { BankProfile } from './config-schema.ts';
export { resolveConnectorConfig } from './secrets.ts';
export { lineStatuses } from './postgres/statement-feed.ts';
export type { StatementFile } from './postgres/statement-files.ts';
export { deskOf } from './statements/desk.ts';
export { type OpenedLine, StatementIntake } from './statements/intake.ts';
export { type Actor, StatementIntakeError } from './statements/ports.ts';
export { secretsOf, termsOf } from './statements/profile-statements.ts';
export type { StatusSink } from './statements/status-report.ts';
export { SftpPoller } from './statements/sftp/sftp-poller.ts';
export { StatementKeys } from './statements/statement-keys.ts';

/** Every kind that there is. @param bank of all `local` connectors; default: each has one of its own */
export function connectorKinds(bank?: LocalBank): readonly ConnectorKind[] {
  return [restKind, localKind(bank), csvKind, mt940Kind, iso20022Kind];
}
export { balancesOn } from './postgres/statement-balances.ts';
