import { Type } from 'typebox';
import type {
  BankConnector,
  BankPaymentStatus,
  BankSendResult,
  BankStatementLine,
  ConnectorConfig,
  ConnectorType,
  HealthCheckResult,
  Metadata,
} from '../bank-connector.ts';
import type { ConnectorKind } from '../kind.ts';
import { noDesk, type StatementDesk } from './desk.ts';

/** A kind that takes a bank's statements and moves no money. It has no settings: those of statements are the profile's. */
export function statementKind(type: ConnectorType): ConnectorKind {
  return {
    type,
    settings: Type.Object({}, { additionalProperties: false }),
    secrets: [],
    capabilities: { collects: false, disburses: false, honoursKeys: false, findsByKey: false },
    create: ({ statements }) => new StatementConnector(type, statements ?? noDesk),
  };
}

class StatementConnector implements BankConnector {
  readonly type: ConnectorType;
  name: string;
  #profile = '';
  readonly #desk: StatementDesk;

  constructor(type: ConnectorType, desk: StatementDesk) {
    this.type = type;
    this.name = type;
    this.#desk = desk;
  }

  init({ id, profile }: ConnectorConfig): Promise<void> {
    this.name = id;
    this.#profile = profile;
    return Promise.resolve();
  }

  /** Its capabilities say that it is not to be asked; whoever does gets a final no. */
  sendPayment(): Promise<BankSendResult> {
    return Promise.resolve({ outcome: 'refused', code: 'NotSupported', elsewhere: true });
  }

  getPaymentStatus(): Promise<BankPaymentStatus> {
    return Promise.resolve({ status: 'unknown', reason: 'NotSupported: it moves no money' });
  }

  uploadStatement(file: Buffer, meta: Metadata): Promise<{ imported_id: string }> {
    return this.#desk.uploadStatement(this.#profile, file, meta);
  }

  parseStatement(importedId: string): Promise<BankStatementLine[]> {
    return this.#desk.parseStatement(importedId);
  }

  healthcheck(): Promise<HealthCheckResult> {
    return Promise.resolve({ healthy: true, latencyMs: 0 });
  }
}
