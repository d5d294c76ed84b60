/** The process that serves in the rpc cases: the product with its doors. Forked; told by one message, ended by another. */
import { configFrom } from '../../src/platform/config.ts';
import { startKora } from '../../src/composition.ts';
import { createLogger } from '../../src/platform/logging.ts';

export interface Serve {
  readonly databaseUrl: string;
  /** PEM: the client makes its token with it. */
  readonly serviceKey: string;
}
export interface Serving {
  readonly rpcPort: number;
}

process.once('message', ({ databaseUrl, serviceKey }: Serve) => {
  const logger = createLogger({ level: 'warn', format: 'text', write: (line) => process.stderr.write(line) });
  const config = configFrom({
    DATABASE_URL: databaseUrl,
    KORA_SERVICE_KEY: serviceKey,
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: '0',
  });
  startKora(config, { logger, without: ['projector', 'scheduler'] }).then(
    (kora) => {
      process.send?.({ rpcPort: kora.rpcPort ?? 0 } satisfies Serving);
      process.once('message', () => {
        kora.close().then(
          () => process.disconnect(),
          () => process.exit(1),
        );
      });
    },
    (error: unknown) => {
      logger.error({ err: error }, 'the server does not start');
      process.exit(1);
    },
  );
});
