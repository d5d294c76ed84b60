/** The product behind `doors.fanout`: `kora serve` without projections and scheduler. Forked. */
import { randomUUID } from 'node:crypto';
import { startKora } from '../../src/composition.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { caller, pay, walletId } from '../core/kora.ts';
import { currency, openingBalance } from '../load/p2p.ts';
import { serveFanOut } from './fan-out-server.ts';

const connectionsMax = '20000';

serveFanOut(async (databaseUrl) => {
  const logger = createLogger({ level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  const key = createServiceKey();
  const config = configFrom({
    DATABASE_URL: databaseUrl,
    KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: '0',
    KORA_STREAM_CONNECTIONS_MAX: connectionsMax,
    KORA_STREAM_CONNECTIONS_PER_PRINCIPAL_MAX: connectionsMax,
    KORA_STREAM_CONNECTIONS_PER_ADDRESS_MAX: connectionsMax,
    KORA_STREAM_TRANSPORT: process.env['BENCH_TRANSPORT'],
  });
  const kora = await startKora(config, { logger, without: ['projector', 'scheduler'] });
  // No more than needed: what preparing leaves behind would be room for connections, and they would seem to take none.
  for (const accountId of [walletId(0), walletId(1)]) {
    const wallet = { walletType: 'customer', accountId, currency } as const;
    await kora.runtime.execute({ type: 'OpenAccount', idempotencyKey: `open ${accountId}`, ...wallet }, caller);
  }
  const funding = { kind: 'CASH_IN', payee: walletId(0), provider: 'cash', amount: openingBalance, currency } as const;
  await kora.runtime.execute({ type: 'Pay', idempotencyKey: 'fund', upTo: 'SETTLED', ...funding }, caller);
  return {
    port: kora.streamPort ?? 0,
    token: await issueServiceToken({ key, service: 'bench', tenant: 'bench', ttlSeconds: 3_600 }),
    // Everything that the peers do not do is in it: a payment is decided, made durable, and read from the log.
    publish: () => pay(kora.runtime, { payer: 0, payee: 1, amount: 1, key: randomUUID() }),
    close: () => kora.close(),
  };
});
