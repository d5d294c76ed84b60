import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Identity } from '../../identity/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { Payments } from '../../payments/index.ts';
import type { DoorObserver } from '../door-observer.ts';
import type { Webhooks } from '../../webhooks/index.ts';
import type { Connectors } from '../connectors.ts';
import type { Authenticator } from '../principal.ts';
import type { Feeds } from '../feeds.ts';
import { noStatements, type Statements } from '../statements.ts';
import type { TroubleSource } from '../trouble-source.ts';
import { createApp, type DoorState } from './app.ts';
import { protectBrowsers } from './browser-safety.ts';
import { PostgresIdempotencyLog } from './idempotency/postgres-idempotency-log.ts';
import { defaultHttpLimits, type HttpLimits } from './limits.ts';
import { openApiOf } from './openapi.ts';
import type { DoorParts, TakesCallbacks } from './parts.ts';
import { PostgresRateStore } from './rate/postgres-rate-store.ts';
import { defaultRateLimits, limitRates, type RateLimits } from './rate/rate-limits.ts';
import { readinessOf } from './readiness.ts';
import { serveReferencePage } from './reference-page.ts';
import { registerRoutes } from './register-routes.ts';
import { routes } from './routes.ts';

export interface HttpDoorOptions {
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly connectors: Connectors;
  readonly identity: Identity;
  /** Default: no provider is known. */
  readonly providers?: TakesCallbacks;
  /** Default: no bank is known. */
  readonly statements?: Statements;
  readonly webhooks: Webhooks;
  /** Default: nobody is fed. */
  readonly feeds?: Feeds;
  readonly authenticator: Authenticator;
  /** Connections of the gateway's own database role, for what the door keeps for itself. */
  readonly pool: pg.Pool;
  /** What makes the door say that it is not ready, beside its own look at the database. Default: nothing. */
  readonly troubles?: TroubleSource;
  readonly logger: Logger;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<HttpLimits>;
  readonly rates?: Partial<RateLimits>;
  /** Where calls are counted instead of in Postgres: `redis://…`. */
  readonly redisUrl?: string | undefined;
  /** What addresses are hashed with before they are counted. */
  readonly secret: Buffer;
  /** Origins of the pages that may call, such as `https://app.example`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Addresses and networks of the proxies whose word about a caller's address is taken. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Answers are kept so long. Default 1 day. */
  readonly idempotencyRetentionMs?: number;
  /** Default: nobody looks. */
  readonly observer?: DoorObserver;
}

export interface HttpDoor {
  readonly port: number;
  /**
   * Says that it is not ready, serves on for `unreadyMs`, then takes nothing more, answers what is at work, and resolves
   * when every connection is closed; what takes longer than `drainMs` is cut off.
   */
  close(): Promise<void>;
}

/**
 * Opens the door for people, apps and services: HTTP/1.1 with JSON, described by `docs/openapi.json`.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export async function startHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { ledger, payments, connectors, identity, webhooks, authenticator, pool, logger } = options;
  const state: DoorState = { draining: false, closed: false };
  const idempotency = new PostgresIdempotencyLog({
    pool,
    logger,
    retentionMs: options.idempotencyRetentionMs ?? 24 * 3_600_000,
  });
  const rateStore =
    options.redisUrl === undefined ? new PostgresRateStore(pool) : await connectRedis(options.redisUrl, logger);
  const close = async (): Promise<void> => {
    await idempotency.close();
    await ('hit' in rateStore ? rateStore.close() : rateStore.quit().catch(() => rateStore.disconnect()));
  };
  try {
    const document = await openApiOf(routes);
    const parts: DoorParts = {
      ledger,
      payments,
      connectors,
      identity,
      providers: options.providers ?? { callback: () => Promise.resolve('NotTaken') },
      statements: options.statements ?? noStatements,
      webhooks,
      ...(options.feeds && { feeds: options.feeds }),
      idempotency,
      limits,
      refusal: () => options.troubles?.refusal,
      readiness: readinessOf({ pool, state, probeMs: limits.probeMs, troubles: options.troubles }),
      openApi: () => document,
    };
    const { trustedProxies = [], observer = {} } = options;
    const app = createApp({ limits, logger, state, trustedProxies, observer });
    await protectBrowsers(app, options.allowedOrigins ?? []);
    const count = await limitRates(app, {
      limits: { ...defaultRateLimits, ...options.rates },
      store: rateStore,
      secret: options.secret,
      logger,
    });
    const registered = registerRoutes(app, { authenticator, routes, parts, limits, count });
    await serveReferencePage(app, document);
    await app.listen({ host: options.host, port: options.port, listenTextResolver: () => '' });

    const drain = async (): Promise<void> => {
      state.draining = true;
      await sleep(limits.unreadyMs);
      state.closed = true;
      const cutOff = setTimeout(() => app.server.closeAllConnections(), limits.drainMs);
      await app.close();
      clearTimeout(cutOff);
      // What was answered "outcome unknown" is still at work: its answer is wanted by whoever asks again.
      await Promise.race([registered.idle(), sleep(limits.drainMs, undefined, { ref: false })]);
      await close();
    };
    let closed: Promise<void> | undefined;
    return {
      port: (app.server.address() as AddressInfo).port,
      close: () => (closed ??= drain()),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connectRedis(url: string, logger: Logger): Promise<Redis> {
  // Loaded where it is used: few have one, and everybody would wait for its modules at each start.
  const { Redis } = await import('ioredis');
  // A call does not wait for a Redis that is away: then nobody is counted.
  const redis = new Redis(url, { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 1_000 });
  redis.on('error', (error: unknown) =>
    logger.warn({ err: error }, 'rates: Redis cannot be reached, nobody is refused'),
  );
  return redis;
}
