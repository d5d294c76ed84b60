/**
 * Everything that can be set from outside: the one table from which `configFrom`, `kora --help` and docs/cli.md are made.
 * A flag wins over the environment, the environment over the default; an empty value counts as not set.
 */
export interface KoraConfig {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly host: string;
  readonly rpcPort: number;
  readonly streamPort: number;
  readonly logLevel: LogLevel;
  readonly serviceKey: string | undefined;
  readonly residentsMax: number;
  readonly requestsMax: number;
  readonly waitingUnitsMax: number;
  readonly eventSizeMax: number;
  readonly holdMs: number;
  readonly settleAfterMs: number;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface ConfigOption<Value = unknown> {
  readonly env: string;
  /** Absent: set by the environment only, because it is a secret or a matter of the installation. */
  readonly flag?: string;
  readonly what: string;
  readonly default: Value;
  /** Throws a sentence that follows "KORA_…: ". */
  readonly parse: (text: string) => Value;
}

type OptionTable = { readonly [Name in keyof KoraConfig]: ConfigOption<KoraConfig[Name]> };

/** `DATABASE_URL` and the like: what the environment and the command line hold, before it is looked at. */
export type Texts = Readonly<Record<string, string | undefined>>;

/** Something is set to what it cannot be. The message names it, the value and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'Config';
}

const HOUR_MS = 3_600_000;

export const configOptions: OptionTable = {
  databaseUrl: {
    env: 'DATABASE_URL',
    what: 'a PostgreSQL (15 or newer) of your own, as postgresql://user@host:port/database; then nothing is embedded',
    default: undefined,
    parse: databaseUrl,
  },
  dataDir: {
    env: 'KORA_DATA_DIR',
    flag: '--data-dir <folder>',
    what: 'where the embedded PostgreSQL keeps its data, and kora the key of its service tokens',
    default: '.kora',
    parse: (text) => text,
  },
  host: {
    env: 'KORA_HOST',
    flag: '--host <address>',
    what: 'the address that the doors listen on',
    default: '127.0.0.1',
    parse: (text) => text,
  },
  rpcPort: {
    env: 'KORA_RPC_PORT',
    flag: '--rpc-port <port>',
    what: 'port of the rpc door; 0 takes any that is free',
    default: 7401,
    parse: integer(0, 65_535),
  },
  streamPort: {
    env: 'KORA_STREAM_PORT',
    flag: '--stream-port <port>',
    what: 'port of the stream door; 0 takes any that is free',
    default: 7402,
    parse: integer(0, 65_535),
  },
  logLevel: {
    env: 'KORA_LOG_LEVEL',
    flag: '--log-level <level>',
    what: `what is logged, on stderr: ${logLevels.join(', ')}`,
    default: 'info',
    parse: oneOf(logLevels),
  },
  serviceKey: {
    env: 'KORA_SERVICE_KEY',
    what: 'Ed25519 private key of the service tokens, as PEM (PKCS #8) or JWK; without it one is made in the data folder',
    default: undefined,
    parse: (text) => text,
  },
  residentsMax: {
    env: 'KORA_RESIDENTS_MAX',
    what: 'actors (payments, wallets) kept in memory',
    default: 100_000,
    parse: integer(100),
  },
  requestsMax: {
    env: 'KORA_REQUESTS_MAX',
    what: 'requests at work at the same time; further ones are refused as Overloaded',
    default: 50_000,
    parse: integer(1),
  },
  waitingUnitsMax: {
    env: 'KORA_WAITING_UNITS_MAX',
    what: 'units that may wait for the log; further ones are refused as Overloaded',
    default: 20_000,
    parse: integer(1),
  },
  eventSizeMax: {
    env: 'KORA_EVENT_SIZE_MAX',
    what: 'the largest event, as bytes of JSON',
    default: 64 * 1024,
    parse: integer(1024, 16 * 1024 * 1024),
  },
  holdMs: {
    env: 'KORA_HOLD_MS',
    what: 'a hold that nothing captures is released after so many milliseconds',
    default: 7 * 24 * HOUR_MS,
    parse: integer(1),
  },
  settleAfterMs: {
    env: 'KORA_SETTLE_AFTER_MS',
    what: 'a captured merchant payment is settled after so many milliseconds',
    default: 24 * HOUR_MS,
    parse: integer(1),
  },
};

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
  return {
    databaseUrl: read('databaseUrl'),
    dataDir: read('dataDir'),
    host: read('host'),
    rpcPort: read('rpcPort'),
    streamPort: read('streamPort'),
    logLevel: read('logLevel'),
    serviceKey: read('serviceKey'),
    residentsMax: read('residentsMax'),
    requestsMax: read('requestsMax'),
    waitingUnitsMax: read('waitingUnitsMax'),
    eventSizeMax: read('eventSizeMax'),
    holdMs: read('holdMs'),
    settleAfterMs: read('settleAfterMs'),
  };
}

function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  return (text) => {
    const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new Error(`an integer ${range} is wanted, not ${JSON.stringify(text)}`);
    return value;
  };
}

function oneOf<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`one of ${choices.join(', ')} is wanted, not ${JSON.stringify(text)}`);
    return found;
  };
}

// Does not say the value again: it may hold a password, and errors are logged.
function databaseUrl(text: string): string {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' };
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new Error('a URL is wanted, as postgresql://user:password@host:5432/database');
  }
  return text;
}
