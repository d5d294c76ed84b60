import { isAbsolute } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Type, type Static } from 'typebox';
import {
  type BankConnector,
  type BankPaymentStatus,
  type BankSendResult,
  type ConnectorConfig,
  type HealthCheckResult,
  keyOf,
  type BankStatementLine,
  type Metadata,
  type PayoutSlice,
} from '../bank-connector.ts';
import { ConnectorConfigError } from '../config-error.ts';
import { integer, text } from '../schema-words.ts';
import type { ConnectorGround, ConnectorKind } from '../kind.ts';
import { errorCode } from '../reasons.ts';
import { noDesk } from '../statements/desk.ts';
import { CsvFolder } from './csv-folder.ts';

const csvSettings = Type.Object(
  {
    folder: text('the absolute path of a folder is wanted'),
    batchLinesMax: integer(1, 100_000, 1_000),
    batchAgeMs: integer(0, 24 * 3_600_000, 60_000),
    /** How often to look for status files and batches that are old enough. */
    pollMs: integer(10, 3_600_000, 5_000),
    lockWaitMs: integer(0, 600_000, 10_000),
  },
  { additionalProperties: false },
);

/** A batch file out to a folder, a status file in: docs/connectors.md says how they look. */
export const csvKind: ConnectorKind = {
  type: 'csv',
  settings: csvSettings,
  secrets: [],
  capabilities: { collects: false, disburses: true, honoursKeys: true, findsByKey: true },
  create: (ground) => new CsvConnector(ground),
};

class CsvConnector implements BankConnector {
  readonly type = 'csv';
  name = 'csv';
  readonly #ground: ConnectorGround;
  #folder: CsvFolder | undefined;
  #profile = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(ground: ConnectorGround) {
    this.#ground = ground;
  }

  async init({ id, profile, settings }: ConnectorConfig): Promise<void> {
    this.name = id;
    this.#profile = profile;
    const { pollMs, ...rest } = settings as Static<typeof csvSettings>;
    if (!isAbsolute(rest.folder)) throw new ConnectorConfigError('settings.folder', 'an absolute path is wanted');
    const { now, onTrouble } = this.#ground;
    const folder = new CsvFolder({ ...rest, now, onTrouble: (error) => onTrouble(error, `csv connector ${id}`) });
    try {
      await folder.prepare();
    } catch (error) {
      throw new ConnectorConfigError(
        'settings.folder',
        `it cannot be made (${errorCode(error)}): make it, ours to write`,
      );
    }
    this.#folder = folder;
    // Its troubles are told already.
    this.#timer = setInterval(() => void folder.turn(nothing).catch(nothing), pollMs).unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#folder?.idle();
  }

  sendPayment(slice: PayoutSlice): Promise<BankSendResult> {
    return this.#begun().add(slice);
  }

  async getPaymentStatus(providerRef: string): Promise<BankPaymentStatus> {
    const reference = keyOf(providerRef);
    try {
      return await this.#begun().turn((look) => look(reference === undefined ? { providerRef } : { reference }));
    } catch (error) {
      return { status: 'unknown', reason: `FolderFailed: ${errorCode(error)}` };
    }
  }

  uploadStatement(file: Buffer, meta: Metadata): Promise<{ imported_id: string }> {
    return (this.#ground.statements ?? noDesk).uploadStatement(this.#profile, file, meta);
  }

  parseStatement(importedId: string): Promise<BankStatementLine[]> {
    return (this.#ground.statements ?? noDesk).parseStatement(importedId);
  }

  /** Whether the folder can be worked in. */
  async healthcheck(): Promise<HealthCheckResult> {
    const started = performance.now();
    try {
      await this.#begun().turn(nothing);
      return { healthy: true, latencyMs: performance.now() - started };
    } catch (error) {
      return { healthy: false, latencyMs: performance.now() - started, detail: errorCode(error) };
    }
  }

  #begun(): CsvFolder {
    if (this.#folder === undefined) throw new Error('init comes first');
    return this.#folder;
  }
}

const nothing = (): void => undefined;
