import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { DoorObserver } from '../door-observer.ts';
import type { Authenticator } from '../principal.ts';
import type { TroubleSource } from '../trouble-source.ts';
import { createApp, type DoorState } from './app.ts';
import { protectBrowsers } from './browser-safety.ts';
import { defaultHttpLimits, type HttpLimits } from './limits.ts';
import type { LentParts } from './parts.ts';
import { PostgresRateStore } from './rate/postgres-rate-store.ts';
import { defaultRateLimits, limitRates, type RateLimits } from './rate/rate-limits.ts';
import { readinessOf } from './readiness.ts';
import { registerRoutes } from './register-routes.ts';
import type { Route } from './route.ts';
import type { HttpTls } from './tls.ts';

/** Where a door stands, and whom it lets in. */
export interface DoorOptions {
  readonly authenticator: Authenticator;
  /** Connections of the gateway's own database role, for what the door keeps for itself. */
  readonly pool: pg.Pool;
  /** What makes the door say that it is not ready, beside its own look at the database. Default: nothing. */
  readonly troubles?: TroubleSource;
  /** Of a process that stands on another one: why that is not there, for everybody to read. */
  readonly core?: (() => Promise<string | undefined>) | undefined;
  readonly logger: Logger;
  readonly host: string;
  /** Default: it speaks in clear, and is meant for one machine, or for a proxy's back. */
  readonly tls?: HttpTls | undefined;
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

/** What stands behind a door. */
export interface Behind<Parts> {
  readonly routes: readonly Route<Parts>[];
  readonly partsOf: (lent: LentParts) => Parts;
  /** What else it shows. */
  readonly furnish?: (app: FastifyInstance) => Promise<void>;
  /** Ended with the door, after what was at work. */
  readonly close?: () => Promise<void>;
}

/**
 * Opens a door of HTTP/1.1 with JSON.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export async function openDoor<Parts>(options: DoorOptions, behind: Behind<Parts>): Promise<HttpDoor> {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { authenticator, pool, logger, tls, trustedProxies = [], observer = {} } = options;
  const state: DoorState = { draining: false, closed: false };
  const rateStore =
    options.redisUrl === undefined ? new PostgresRateStore(pool) : await connectRedis(options.redisUrl, logger);
  const close = async (): Promise<void> => {
    await behind.close?.();
    await ('hit' in rateStore ? rateStore.close() : rateStore.quit().catch(() => rateStore.disconnect()));
  };
  try {
    const readiness = readinessOf({
      pool,
      state,
      probeMs: limits.probeMs,
      troubles: options.troubles,
      core: options.core,
    });
    const app = createApp({ limits, logger, state, trustedProxies, observer, tls });
    await protectBrowsers(app, options.allowedOrigins ?? []);
    const count = await limitRates(app, {
      limits: { ...defaultRateLimits, ...options.rates },
      store: rateStore,
      secret: options.secret,
      logger,
    });
    const registered = registerRoutes(app, {
      authenticator,
      bound: tls?.clientCa !== undefined,
      routes: behind.routes,
      parts: behind.partsOf({ limits, readiness }),
      limits,
      count,
    });
    await behind.furnish?.(app);
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
