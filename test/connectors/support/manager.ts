import { randomUUID } from 'node:crypto';
import {
  type Breaker,
  connectorKinds,
  type ConnectorCall,
  ConnectorManager,
  type LocalBank,
  type ManagerOptions,
  type NonceStore,
  parseConnectorsConfig,
  type ConnectorsConfig,
  type PayoutSlice,
} from '../../../src/connectors/index.ts';
import { providerSecret } from './provider.ts';

/** A slice that fits every connector of these tests. */
export function slice(more: Partial<PayoutSlice> = {}): PayoutSlice {
  const id = randomUUID();
  return {
    id,
    operation: 'disburse',
    amount: '1500',
    currency: 'XOF',
    idempotencyKey: `key-${id}`,
    account: 'acct-7',
    rail: 'momo',
    sendBefore: new Date(Date.now() + 20_000).toISOString(),
    traceId: `trace-${id}`,
    ...more,
  };
}

export const profiles = [{ id: 'mtn-momo', bank_name: 'MTN', supported_rails: ['momo'] }];

/** A document with this one connector of the kind `rest`. */
export function restConfig(baseUrl: string, more: Record<string, unknown> = {}, settings: object = {}): unknown {
  const connector = {
    id: 'mtn',
    type: 'rest',
    profile: 'mtn-momo',
    capabilities: { honoursKeys: true, findsByKey: true },
    settings: { baseUrl, hmacSecret: 'env:MTN_SECRET', ...settings },
    ...more,
  };
  return { profiles, connectors: [connector] };
}

export function parsed(document: unknown, bank?: LocalBank): ConnectorsConfig {
  return parseConnectorsConfig(document, connectorKinds(bank));
}

export class MemoryNonces implements NonceStore {
  readonly #seen = new Set<string>();

  async claim(scope: string, nonce: string): Promise<boolean> {
    await Promise.resolve();
    const known = this.#seen.has(`${scope} ${nonce}`);
    this.#seen.add(`${scope} ${nonce}`);
    return !known;
  }
}

/** Writes down what it is told, and admits unless it is opened. */
export class NotedBreaker implements Breaker {
  readonly told: string[] = [];
  readonly open = new Set<string>();

  state(id: string): 'CLOSED' | 'OPEN' {
    return this.open.has(id) ? 'OPEN' : 'CLOSED';
  }

  admits(id: string): boolean {
    return !this.open.has(id);
  }

  admit(id: string): boolean {
    return !this.open.has(id);
  }

  succeeded(id: string): void {
    this.told.push(`${id} succeeded`);
  }

  failed(id: string, reason: string): void {
    this.told.push(`${id} failed: ${reason}`);
  }

  released(id: string): void {
    this.told.push(`${id} released`);
  }
}

/** A manager without health checks of its own, with what it told. */
export function managing(options: Partial<ManagerOptions> & { readonly bank?: LocalBank } = {}) {
  const breaker = new NotedBreaker();
  const calls: ConnectorCall[] = [];
  const troubles: string[] = [];
  const { bank, ...more } = options;
  const manager = new ConnectorManager({
    kinds: connectorKinds(bank),
    secrets: { env: { MTN_SECRET: providerSecret } },
    nonces: new MemoryNonces(),
    breaker,
    observer: { called: (call) => calls.push(call) },
    healthEveryMs: 0,
    retry: { attempts: 1, initialDelayMs: 1, maxDelayMs: 2 },
    onTrouble: (error, what) => troubles.push(`${what}: ${String(error)}`),
    ...more,
  });
  return { manager, breaker, calls, troubles };
}
