import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { performance } from 'node:perf_hooks';
import { createSecureContext } from 'node:tls';
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
import type { CallbackRequest, CallbackVerdict, ConnectorGround, ConnectorKind, TakesCallbacks } from '../kind.ts';
import { notSent } from '../reasons.ts';
import { noDesk } from '../statements/desk.ts';
import { readCallback } from './callbacks.ts';
import { exchange, type Exchange } from './exchange.ts';
import { readSendAnswer, readStatusAnswer, requestBody } from './messages.ts';
import { restSecrets, type RestSettings, restSettings } from './settings.ts';
import { signRequest } from './signature.ts';

/** Signed JSON over HTTP: docs/connectors.md says how requests, answers and callbacks look. */
export const restKind: ConnectorKind = {
  type: 'rest',
  settings: restSettings,
  secrets: restSecrets,
  // What it promises about keys is for its contract to say.
  capabilities: { collects: true, disburses: true, honoursKeys: false, findsByKey: false },
  create: (ground) => new RestConnector(ground),
};

class RestConnector implements BankConnector, TakesCallbacks {
  readonly type = 'rest';
  name = 'rest';
  readonly #ground: ConnectorGround;
  #config: ConnectorConfig | undefined;
  #agent: Agent | undefined;

  constructor(ground: ConnectorGround) {
    this.#ground = ground;
  }

  async init(config: ConnectorConfig): Promise<void> {
    this.name = config.id;
    this.#config = config;
    this.#agent = agentOf(config.settings as unknown as RestSettings, config.limits.concurrencyMax);
    await Promise.resolve();
  }

  async shutdown(): Promise<void> {
    this.#agent?.destroy();
    await Promise.resolve();
  }

  async sendPayment(slice: PayoutSlice): Promise<BankSendResult> {
    const { settings } = this.#begun();
    const { idempotency, headers } = settings;
    const exchanged = await this.#ask('POST', slice.operation === 'collect' ? 'collect' : 'disburse', '', {
      body: requestBody(slice, settings),
      sendBefore: Date.parse(slice.sendBefore),
      headers: {
        [headers.trace]: slice.traceId,
        ...(idempotency.in === 'header' ? { [idempotency.name.toLowerCase()]: slice.idempotencyKey } : {}),
      },
    });
    switch (exchanged.outcome) {
      case 'answered':
        return readSendAnswer(exchanged.status, exchanged.body, slice, settings);
      case 'lost':
        return { outcome: 'unknown', reason: exchanged.reason };
      case 'not_sent':
        return notSent(exchanged.code, exchanged.detail);
    }
  }

  async getPaymentStatus(providerRef: string): Promise<BankPaymentStatus> {
    const { settings } = this.#begun();
    const key = keyOf(providerRef);
    const rest = key === undefined ? `/${encodeURIComponent(providerRef)}` : `?reference=${encodeURIComponent(key)}`;
    const exchanged = await this.#ask('GET', 'status', rest);
    if (exchanged.outcome !== 'answered') return { status: 'unknown', reason: reasonOf(exchanged) };
    const asked = key === undefined ? { id: providerRef } : { reference: key };
    return readStatusAnswer(exchanged.status, exchanged.body, asked, settings);
  }

  uploadStatement(file: Buffer, meta: Metadata): Promise<{ imported_id: string }> {
    return (this.#ground.statements ?? noDesk).uploadStatement(this.#config?.profile ?? '', file, meta);
  }

  parseStatement(importedId: string): Promise<BankStatementLine[]> {
    return (this.#ground.statements ?? noDesk).parseStatement(importedId);
  }

  async healthcheck(): Promise<HealthCheckResult> {
    const started = performance.now();
    const exchanged = await this.#ask('GET', 'health', '');
    const healthy = exchanged.outcome === 'answered' && exchanged.status >= 200 && exchanged.status < 300;
    return { healthy, latencyMs: performance.now() - started, ...(healthy ? {} : { detail: reasonOf(exchanged) }) };
  }

  readCallback(request: CallbackRequest): Promise<CallbackVerdict> {
    const { settings } = this.#begun();
    const secrets = [settings.callbackSecret ?? settings.hmacSecret, settings.callbackSecretBefore];
    return readCallback(request, {
      ...settings,
      secrets: secrets.filter((secret) => secret !== undefined),
      scope: this.name,
      nonces: this.#ground.nonces,
      now: this.#ground.now,
    });
  }

  /** A signed request. Signed before the connection is there: a request that waits too long is stale for the provider. */
  #ask(
    method: 'GET' | 'POST',
    path: keyof RestSettings['paths'],
    rest: string,
    { body, sendBefore, headers = {} }: Asked = {},
  ): Promise<Exchange> {
    const { config, settings, agent } = this.#begun();
    const { tracing, now } = this.#ground;
    const url = new URL(settings.baseUrl.replace(/\/$/, '') + settings.paths[path] + rest);
    const signed = tracing.span('hmac.sign', {}, () => this.#signature(method, url, body ?? ''));
    const { requestTimeoutMs } = config.limits;
    return tracing.span(`http.${method.toLowerCase()}`, { 'server.address': url.host }, () =>
      exchange({
        url,
        agent,
        method,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
          ...signed,
        },
        ...(body === undefined ? {} : { body }),
        ...(sendBefore === undefined ? {} : { sendBefore }),
        connectTimeoutMs: settings.connectTimeoutMs,
        timeoutMs: requestTimeoutMs,
        now,
      }),
    );
  }

  #signature(method: string, url: URL, body: string): Record<string, string> {
    const { settings } = this.#begun();
    const { headers, hmacSecret, apiKey } = settings;
    const timestamp = String(this.#ground.now());
    const nonce = randomBytes(18).toString('base64url');
    const path = url.pathname + url.search;
    return {
      [headers.timestamp]: timestamp,
      [headers.nonce]: nonce,
      [headers.signature]: signRequest(hmacSecret.reveal(), { method, path, timestamp, nonce, body }),
      ...(apiKey === undefined ? {} : { [headers.clientKey]: apiKey.reveal() }),
    };
  }

  #begun(): { readonly config: ConnectorConfig; readonly settings: RestSettings; readonly agent: Agent } {
    if (this.#config === undefined || this.#agent === undefined) throw new Error('init comes first');
    return { config: this.#config, settings: this.#config.settings as unknown as RestSettings, agent: this.#agent };
  }
}

interface Asked {
  readonly body?: string;
  readonly sendBefore?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Connections of this provider alone: those of another one that hangs are not waited for. The bulkhead bounds them. */
function agentOf({ baseUrl, tls = {}, idleMs }: RestSettings, concurrencyMax: number): Agent {
  // Node keeps 256 idle ones; more calls than that would connect again and again.
  const keeping = {
    keepAlive: idleMs > 0,
    maxFreeSockets: 2 * concurrencyMax,
    ...(idleMs > 0 ? { timeout: idleMs } : {}),
  };
  if (!baseUrl.startsWith('https:')) return new Agent(keeping);
  const { cert, key, ca, serverName } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConnectorConfigError('settings.tls', 'cert and key belong together: give both, or none');
  }
  const own = {
    ...(cert === undefined || key === undefined ? {} : { cert: cert.reveal(), key: key.reveal() }),
    ...(ca === undefined ? {} : { ca: ca.reveal() }),
  };
  try {
    createSecureContext(own);
  } catch {
    // Not what OpenSSL says, which may quote a key.
    throw new ConnectorConfigError('settings.tls', 'these are no PEM certificates with their key: look at the files');
  }
  return new TlsAgent({
    ...keeping,
    ...own,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
}

function reasonOf(exchanged: Exchange): string {
  switch (exchanged.outcome) {
    case 'answered':
      return `Unreadable: status ${exchanged.status}`;
    case 'lost':
      return exchanged.reason;
    case 'not_sent':
      return notSent(exchanged.code, exchanged.detail).reason;
  }
}
