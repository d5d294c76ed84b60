import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kora, startKora } from '../../src/composition.ts';
import { createServiceKey } from '../../src/gateway/service-token.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { providerSecret, SimulatedProvider } from './simulated-provider.ts';
import { WatchedPayments } from './watched-payments.ts';

/**
 * Room for the offered load at a mean latency of 1.1 s, and time-outs short enough that what is in doubt is resolved within
 * a run: not found is final some 10 s after the intent.
 */
const limits = {
  concurrencyMax: 2_048,
  waitingMax: 2_048,
  requestTimeoutMs: 4_000,
  sendWithinMs: 5_000,
  clockSkewMs: 200,
  notFoundFinalAfterMs: 1_000,
};

/** What a case works with. */
export interface Connected {
  readonly kora: Kora;
  /** By the name of its profile, which the one connector of it has too. */
  readonly providerOf: (profile: string) => SimulatedProvider;
  readonly watched: WatchedPayments;
}

/**
 * Runs a case on the product with everything that `kora serve` runs, in this process, and a provider process for each
 * profile. The doors are there, because connectors come with them, and nobody calls. `check` comes when all is closed but
 * the providers.
 */
export async function withConnected(
  { databaseUrl }: Pick<CaseContext, 'databaseUrl'>,
  profiles: readonly string[],
  ofConnector: { readonly limits?: object; readonly breaker?: object },
  work: (connected: Connected) => Promise<Measured & { readonly check: () => Promise<void> }>,
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-bench-connectors-'));
  const providers = new Map<string, SimulatedProvider>();
  try {
    for (const profile of profiles) providers.set(profile, await SimulatedProvider.start(profile));
    const kora = await start(databaseUrl, folder, documentOf(providers, ofConnector));
    const watched = new WatchedPayments();
    let measured;
    try {
      const providerOf = (profile: string): SimulatedProvider => {
        const provider = providers.get(profile);
        mustHold(provider !== undefined, `there is no provider ${profile}`);
        return provider;
      };
      measured = await work({ kora, providerOf, watched });
    } finally {
      await watched.close();
      await kora.close();
    }
    const { check, ...rest } = measured;
    await check();
    return rest;
  } finally {
    for (const provider of providers.values()) await provider.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function documentOf(
  providers: ReadonlyMap<string, SimulatedProvider>,
  ofConnector: { readonly limits?: object; readonly breaker?: object },
): object {
  return {
    profiles: [...providers.keys()].map((id) => ({ id, bank_name: id, supported_rails: ['momo'] })),
    connectors: [...providers].map(([profile, { url }]) => ({
      id: profile,
      type: 'rest',
      profile,
      capabilities: { honoursKeys: true, findsByKey: true },
      limits: { ...limits, ...ofConnector.limits },
      ...(ofConnector.breaker && { breaker: ofConnector.breaker }),
      settings: { baseUrl: url, hmacSecret: 'env:PROVIDER_SECRET' },
    })),
  };
}

async function start(databaseUrl: string, folder: string, document: object): Promise<Kora> {
  const file = join(folder, 'connectors.json');
  await writeFile(file, JSON.stringify(document));
  const config = configFrom({
    DATABASE_URL: databaseUrl,
    KORA_DATA_DIR: folder,
    KORA_SERVICE_KEY: createServiceKey().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: 'off',
    KORA_CONNECTORS: file,
  });
  const logger = createLogger({ level: 'error', format: 'text', write: (line) => process.stderr.write(line) });
  return startKora(config, { logger, secrets: { PROVIDER_SECRET: providerSecret } });
}
