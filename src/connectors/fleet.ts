import { createHash } from 'node:crypto';
import type { ConnectorConfig } from './bank-connector.ts';
import { ConnectorConfigError } from './config-error.ts';
import type { ConnectorsConfig } from './connector-config.ts';
import type { ConnectorGround, ConnectorKind } from './kind.ts';
import { errorCode } from './reasons.ts';
import { RunningConnector } from './running-connector.ts';
import { resolveConnectorConfig, Secret, type SecretSources } from './secrets.ts';

/** What a configuration changed, by ids. */
export interface Applied {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

/** The instances that run, and how a configuration becomes them. */
export class Fleet {
  readonly #kinds: readonly ConnectorKind[];
  readonly #secrets: SecretSources;
  readonly #ground: ConnectorGround;
  #config: ConnectorsConfig = { profiles: [], connectors: [] };
  #running: ReadonlyMap<string, RunningConnector> = new Map();
  readonly #retiring = new Set<Promise<void>>();
  /** One configuration after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(kinds: readonly ConnectorKind[], secrets: SecretSources, ground: ConnectorGround) {
    this.#kinds = kinds;
    this.#secrets = secrets;
    this.#ground = ground;
  }

  get config(): ConnectorsConfig {
    return this.#config;
  }

  find(connectorId: string): RunningConnector | undefined {
    return this.#running.get(connectorId);
  }

  all(): readonly RunningConnector[] {
    return [...this.#running.values()];
  }

  apply(config: ConnectorsConfig): Promise<Applied> {
    const applied = this.#turn.then(() => this.#apply(config));
    this.#turn = applied.catch(() => undefined);
    return applied;
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#replace({ profiles: [], connectors: [] }, new Map());
    await Promise.all(this.#retiring);
  }

  async #apply(config: ConnectorsConfig): Promise<Applied> {
    const next = new Map<string, RunningConnector>();
    const made: RunningConnector[] = [];
    try {
      for (const [index, connector] of config.connectors.entries()) {
        const running = await this.#instanceOf(connector, `connectors[${index}]`);
        if (running !== this.#running.get(connector.id)) made.push(running);
        next.set(connector.id, running);
      }
    } catch (error) {
      await Promise.all(made.map((running) => running.retire()));
      throw error;
    }
    const before = this.#running;
    const ids = [...next.keys()];
    this.#replace(config, next);
    return {
      added: ids.filter((id) => !before.has(id)),
      changed: ids.filter((id) => before.has(id) && before.get(id) !== next.get(id)),
      removed: [...before.keys()].filter((id) => !next.has(id)),
      kept: ids.filter((id) => before.get(id) === next.get(id)),
    };
  }

  /** The one that runs where nothing of it changed, else a new one. */
  async #instanceOf(config: ConnectorConfig, place: string): Promise<RunningConnector> {
    const kind = this.#kinds.find(({ type }) => type === config.type);
    if (kind === undefined) throw new ConnectorConfigError(`${place}.type`, `${config.type} is not there yet`);
    const resolved = await resolveConnectorConfig(config, kind.secrets, this.#secrets, place);
    const fingerprint = fingerprintOf(resolved);
    const present = this.#running.get(config.id);
    if (present?.fingerprint === fingerprint) return present;
    const connector = kind.create(this.#ground);
    try {
      await connector.init(resolved);
    } catch (error) {
      if (error instanceof ConnectorConfigError) {
        throw new ConnectorConfigError(`${place}.${error.place}`, error.message.slice(error.place.length + 2));
      }
      // Not what it says: it may quote a key.
      throw new ConnectorConfigError(place, `it cannot begin (${errorCode(error)}): look at its settings`);
    }
    return new RunningConnector(config, connector, fingerprint);
  }

  #replace(config: ConnectorsConfig, next: ReadonlyMap<string, RunningConnector>): void {
    const before = this.#running;
    this.#config = config;
    this.#running = next;
    for (const [id, running] of before) {
      if (next.get(id) !== running) this.#retire(running);
    }
  }

  #retire(running: RunningConnector): void {
    const retired = running
      .retire()
      .catch((error: unknown) => this.#ground.onTrouble(error, `connector ${running.config.id}: shutdown`))
      .finally(() => this.#retiring.delete(retired));
    this.#retiring.add(retired);
  }
}

/** With what the secrets are, so that a rotated one is seen; only its hash is kept. */
function fingerprintOf(resolved: ConnectorConfig): string {
  const text = JSON.stringify(resolved, function (this: Record<string, unknown>, key, value: unknown) {
    // `toJSON` has hidden it already in `value`.
    const original = this[key];
    return original instanceof Secret ? `secret:${original.reveal()}` : value;
  });
  return createHash('sha256').update(text).digest('base64url');
}
