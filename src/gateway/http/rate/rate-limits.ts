import { createHmac } from 'node:crypto';
import { fastifyRateLimit, type FastifyRateLimitOptions, type FastifyRateLimitStore } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { placeOf } from '../../address.ts';
import type { Principal } from '../../principal.ts';
import { problem, ProblemError } from '../problem.ts';
import type { Hits, PostgresRateStore } from './postgres-rate-store.ts';

/** Requests per minute. */
export interface RateLimits {
  /** From one address (IPv6: one /64), of everybody who is no service. Default 6,000: a network may stand behind it. */
  readonly perAddress: number;
  /** Of one user. Default 600. */
  readonly perUser: number;
  /** Of one service. Default 600,000. */
  readonly perService: number;
}

export const defaultRateLimits: RateLimits = { perAddress: 6_000, perUser: 600, perService: 600_000 };

const WINDOW_MS = 60_000;

export interface RateOptions {
  readonly limits: RateLimits;
  /** Where calls are counted, for all processes together. */
  readonly store: PostgresRateStore | Redis;
  /** Addresses are counted under keyed hashes: who called is in no store. */
  readonly secret: Buffer;
  readonly logger: Logger;
}

/** Counts a request of this principal (undefined: nobody knows whose). Throws a `ProblemError` when there are too many. */
export type CountRequest = (request: FastifyRequest, principal: Principal | undefined) => Promise<void>;

/**
 * Limits how often somebody may call. Services are counted by their name alone: thousands of calls may come from one of
 * their machines. Everybody else is counted by address, known or not, and users by their id as well.
 *
 * Where the store does not answer, nobody is refused: the limits protect, they decide nothing.
 */
export async function limitRates(app: FastifyInstance, options: RateOptions): Promise<CountRequest> {
  const { limits, store, secret, logger } = options;
  await app.register(fastifyRateLimit, {
    global: false,
    timeWindow: WINDOW_MS,
    skipOnError: true,
    ...('hit' in store ? { store: storeOf(store, logger) } : { redis: store, nameSpace: 'kora-rate-' }),
  });
  const addressOf = (request: FastifyRequest): string =>
    createHmac('sha256', secret).update(placeOf(request.ip)).digest('base64url').slice(0, 22);
  const principalOf = ({ principal }: FastifyRequest): string =>
    `${principal?.tenant ?? ''}/${principal?.principal ?? ''}`;
  const byAddress = app.createRateLimit({
    max: limits.perAddress,
    keyGenerator: (request) => `address:${addressOf(request)}`,
  });
  const byUser = app.createRateLimit({
    max: limits.perUser,
    keyGenerator: (request) => `principal:${principalOf(request)}`,
  });
  const byService = app.createRateLimit({
    max: limits.perService,
    keyGenerator: (request) => `principal:${principalOf(request)}`,
  });
  return async (request, principal) => {
    const counts =
      principal === undefined
        ? [byAddress(request)]
        : principal.roles.includes('service')
          ? [byService(request)]
          : [byAddress(request), byUser(request)];
    for (const count of await Promise.all(counts)) {
      if (count.isAllowed || !count.isExceeded) continue;
      const seconds = Math.max(1, count.ttlInSeconds);
      throw new ProblemError(
        problem('TooManyRequests', `more than ${count.max} requests a minute: wait ${seconds} s`, {
          headers: { 'retry-after': String(seconds) },
        }),
      );
    }
  };
}

/** Our counter in the form that the plugin wants: a class that it makes an instance of. */
function storeOf(
  store: PostgresRateStore,
  logger: Logger,
): new (options: FastifyRateLimitOptions) => FastifyRateLimitStore {
  return class implements FastifyRateLimitStore {
    incr(key: string, done: (error: Error | null, hits?: Hits) => void, _timeWindow?: number, max = 0): void {
      store.hit(key, WINDOW_MS, max).then(
        (hits) => done(null, hits),
        (error: unknown) => {
          logger.warn({ err: error }, 'rates: calls cannot be counted, nobody is refused');
          done(error instanceof Error ? error : new Error(String(error)));
        },
      );
    }
    child(): FastifyRateLimitStore {
      return this;
    }
  };
}
