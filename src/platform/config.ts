import {
  configOptions,
  type ConfigOption,
  type LogLevel,
  type streamServers,
  type switches,
  type tlsNames,
} from './config-options.ts';

/**
 * Everything that can be set from outside: the one table from which `configFrom`, `kora --help` and docs/cli.md are made.
 * A flag wins over the environment, the environment over the default; an empty value counts as not set.
 */
export interface KoraConfig {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly host: string;
  readonly httpPort: number;
  readonly httpTrustedProxies: readonly string[];
  readonly httpRatePerAddress: number;
  readonly httpRatePerUser: number;
  readonly httpRatePerService: number;
  readonly redisUrl: string | undefined;
  readonly idempotencyRetentionMs: number;
  readonly rpcPort: number;
  readonly streamPort: number;
  readonly streamTransport: (typeof streamServers)[number];
  readonly allowedOrigins: readonly string[];
  readonly streamConnectionsMax: number;
  readonly streamConnectionsPerPrincipalMax: number;
  readonly streamConnectionsPerAddressMax: number;
  readonly streamSubscriptionsMax: number;
  readonly streamSubscriptionsPerPrincipalMax: number;
  readonly streamSubscriptionsPerAddressMax: number;
  readonly streamSubscriptionsInAllMax: number;
  readonly streamMessageBytesMax: number;
  readonly streamMessagesPerSecond: number;
  readonly streamMessagesAtOnce: number;
  readonly streamBufferedBytesMax: number;
  readonly streamRecheckMs: number;
  readonly logLevel: LogLevel;
  readonly serviceKey: string | undefined;
  readonly serviceKeysAccepted: string | undefined;
  readonly rpcTlsCertificate: string | undefined;
  readonly rpcTlsKey: string | undefined;
  readonly rpcTlsClientCa: string | undefined;
  readonly rpcTlsNames: (typeof tlsNames)[number];
  readonly drainNoticeMs: number;
  readonly identityKeys: string | undefined;
  readonly localUsers: (typeof switches)[number];
  readonly oidcIssuer: string | undefined;
  readonly oidcAudience: string | undefined;
  readonly oidcRolesClaim: string;
  readonly oidcRoles: Readonly<Record<string, string>> | undefined;
  readonly residentsMax: number;
  readonly requestsMax: number;
  readonly waitingUnitsMax: number;
  readonly eventSizeMax: number;
  readonly holdMs: number;
  readonly settleAfterMs: number;
}

/** `DATABASE_URL` and the like: what the environment and the command line hold, before it is looked at. */
export type Texts = Readonly<Record<string, string | undefined>>;

/** Something is set to what it cannot be. The message names it, the value and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'Config';
}

/**
 * Reads the configuration. Pure.
 *
 * @param flags by the names of `KoraConfig`, as text
 * @throws ConfigError at the first value that cannot be
 */
export function configFrom(env: Texts, flags: Partial<Record<keyof KoraConfig, string>> = {}): KoraConfig {
  const read = <Name extends keyof KoraConfig>(name: Name): KoraConfig[Name] => {
    const option: ConfigOption<KoraConfig[Name]> = configOptions[name];
    const flag = flags[name];
    const text = flag ?? env[option.env];
    if (text === undefined || text === '') return option.default;
    try {
      return option.parse(text);
    } catch (error) {
      const source = flag === undefined ? option.env : (option.flag?.split(' ')[0] ?? option.env);
      throw new ConfigError(`${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return Object.fromEntries(
    Object.keys(configOptions).map((name) => [name, read(name as keyof KoraConfig)]),
  ) as unknown as KoraConfig;
}
