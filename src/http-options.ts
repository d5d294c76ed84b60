import { hkdfSync } from 'node:crypto';
import type { HttpDoorOptions } from './gateway/http/http-door.ts';
import type { ServiceKey } from './gateway/service-token.ts';
import type { KoraConfig } from './platform/config.ts';
import { httpTlsOf } from './tls-files.ts';

/** What the configuration says of the http door. */
export async function httpOptionsOf(
  config: KoraConfig,
  { privateKey }: ServiceKey,
): Promise<
  Pick<
    HttpDoorOptions,
    | 'host'
    | 'port'
    | 'allowedOrigins'
    | 'trustedProxies'
    | 'redisUrl'
    | 'idempotencyRetentionMs'
    | 'rates'
    | 'limits'
    | 'secret'
    | 'tls'
  >
> {
  // All processes of a house have this key, so all of them count an address under one name.
  const key = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    host: config.host,
    port: config.httpPort,
    allowedOrigins: config.allowedOrigins,
    trustedProxies: config.httpTrustedProxies,
    redisUrl: config.redisUrl,
    idempotencyRetentionMs: config.idempotencyRetentionMs,
    rates: {
      perAddress: config.httpRatePerAddress,
      perUser: config.httpRatePerUser,
      perService: config.httpRatePerService,
    },
    tls: await httpTlsOf(config),
    limits: { unreadyMs: config.drainNoticeMs },
    secret: Buffer.from(hkdfSync('sha256', key, '', 'kora/http/addresses/1', 32)),
  };
}
