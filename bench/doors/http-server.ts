/** The process that serves in `doors.http`: the product as `kora serve` runs it, with its projections. Forked. */
import { startKora } from '../../src/composition.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { openWallets } from '../core/kora.ts';

export interface Serve {
  readonly databaseUrl: string;
}
export interface Serving {
  readonly httpPort: number;
  readonly token: string;
}

async function serve({ databaseUrl }: Serve): Promise<void> {
  const logger = createLogger({ level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  const key = createServiceKey();
  const config = configFrom({
    DATABASE_URL: databaseUrl,
    KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: '0',
  });
  const kora = await startKora(config, { logger });
  await openWallets(kora.runtime);
  await kora.projected();
  const token = await issueServiceToken({ key, service: 'bench', tenant: 'bench', ttlSeconds: 3_600 });
  process.send?.({ httpPort: kora.httpPort ?? 0, token } satisfies Serving);
  process.once('message', () => {
    kora.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

// Whoever measures is gone, without a word: it failed.
process.once('disconnect', () => process.exit(1));
process.once('message', (message: Serve) => {
  serve(message).catch((error: unknown) => {
    process.stderr.write(`the server does not start: ${String(error)}\n`);
    process.exit(1);
  });
});
