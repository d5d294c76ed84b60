import { fastifyCors } from '@fastify/cors';
import { fastifyHelmet } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/**
 * What browsers are told. Answers are data, so nothing in them may run, load or be framed; pages of other origins are let
 * in only by name. Tokens travel in headers, never in cookies, so no page can borrow them.
 */
export async function protectBrowsers(app: FastifyInstance, allowedOrigins: readonly string[]): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(fastifyCors, {
    origin: [...allowedOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'kora-correlation-id',
      'kora-device',
      'kora-nonce',
      'kora-signature',
      'kora-timestamp',
    ],
    exposedHeaders: ['kora-correlation-id', 'kora-replayed', 'retry-after'],
    maxAge: 600,
    // A preflight without the headers of one is a plain OPTIONS, which no route has.
    strictPreflight: false,
  });
}
