import {
  databaseUrl,
  eventstoreUrl,
  hostAndPort,
  httpUrl,
  integer,
  integerOr,
  issuerUrl,
  networks,
  oneOf,
  origins,
  otlpUrl,
  pairs,
  ratio,
  redisUrl,
} from './config-values.ts';
import { type KoraConfig, logLevels, tlsNames, streamServers, switches } from './kora-config.ts';

export interface ConfigOption<Value = unknown> {
  readonly env: string;
  /** Absent: set by the environment only, because it is a secret or a matter of the installation. */
  readonly flag?: string;
  readonly what: string;
  readonly default: Value;
  /** Throws a sentence that follows "KORA_…: ". */
  readonly parse: (text: string) => Value;
}

/** A default as people read it. Undefined: there is none. */
export function defaultOf({ default: value }: ConfigOption): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(', ');
  return JSON.stringify(value);
}

type OptionTable = { readonly [Name in keyof KoraConfig]: ConfigOption<KoraConfig[Name]> };

const HOUR_MS = 3_600_000;

/**
 * Everything that can be set: the one table from which `configFrom`, `kora --help` and docs/cli.md are made. A flag wins
 * over the environment, the environment over the default; an empty value counts as not set.
 */
export const configOptions: OptionTable = {
  databaseUrl: {
    env: 'DATABASE_URL',
    what: 'a PostgreSQL (15 or newer) of your own, as postgresql://user@host:port/database; then nothing is embedded',
    default: undefined,
    parse: databaseUrl,
  },
  eventstoreUrl: {
    env: 'EVENTSTORE_URL',
    what: 'a KurrentDB (25.1 or newer) that keeps the log, as kurrentdb://user:password@host:2113; without it PostgreSQL does',
    default: undefined,
    parse: eventstoreUrl,
  },
  dataDir: {
    env: 'KORA_DATA_DIR',
    flag: '--data-dir <folder>',
    what: 'where the embedded PostgreSQL keeps its data, and kora the key of its service tokens',
    default: '.kora',
    parse: (text) => text,
  },
  archiveDir: {
    env: 'KORA_ARCHIVE_DIR',
    flag: '--archive-dir <folder>',
    what: 'serve archives the write-ahead log there from now on, restore reads it; off: no more; without it as before',
    default: undefined,
    parse: (text) => text,
  },
  host: {
    env: 'KORA_HOST',
    flag: '--host <address>',
    what: 'the address that the doors listen on',
    default: '127.0.0.1',
    parse: (text) => text,
  },
  httpPort: {
    env: 'KORA_HTTP_PORT',
    flag: '--http-port <port>',
    what: 'port of the http door; 0 takes any that is free',
    default: 7400,
    parse: integer(0, 65_535),
  },
  httpTlsCertificate: {
    env: 'KORA_HTTP_TLS_CERTIFICATE',
    what: 'file with the certificate of the http door, and its chain, in PEM; with it the door speaks TLS only',
    default: undefined,
    parse: (text) => text,
  },
  httpTlsKey: {
    env: 'KORA_HTTP_TLS_KEY',
    what: 'file with the private key of that certificate, in PEM',
    default: undefined,
    parse: (text) => text,
  },
  httpTlsClientCa: {
    env: 'KORA_HTTP_TLS_CLIENT_CA',
    what: "file with the certificates, in PEM, of those who may issue certificates of services; with it a service's token is taken only over a certificate that bears its name. People need none",
    default: undefined,
    parse: (text) => text,
  },
  httpTrustedProxies: {
    env: 'KORA_HTTP_TRUSTED_PROXIES',
    what: "addresses and networks of proxies whose X-Forwarded-For is believed: 10.0.0.0/8,192.0.2.7; without it nobody's is",
    default: [],
    parse: networks,
  },
  httpRatePerAddress: {
    env: 'KORA_HTTP_RATE_PER_ADDRESS',
    what: 'http requests a minute from one address (IPv6: one /64), services apart',
    default: 6_000,
    parse: integer(1),
  },
  httpRatePerUser: {
    env: 'KORA_HTTP_RATE_PER_USER',
    what: 'http requests a minute of one user',
    default: 600,
    parse: integer(1),
  },
  httpRatePerService: {
    env: 'KORA_HTTP_RATE_PER_SERVICE',
    what: 'http requests a minute of one service',
    default: 600_000,
    parse: integer(1),
  },
  redisUrl: {
    env: 'REDIS_URL',
    what: 'a Redis in which http requests are counted, as redis://host:port; without it PostgreSQL counts them',
    default: undefined,
    parse: redisUrl,
  },
  idempotencyRetentionMs: {
    env: 'KORA_IDEMPOTENCY_RETENTION_MS',
    what: 'answers to http requests are cached for so many milliseconds; after it the log gives the same answer',
    default: 24 * HOUR_MS,
    parse: integer(1_000),
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
  metricsPort: {
    env: 'KORA_METRICS_PORT',
    flag: '--metrics-port <port>',
    what: 'port on which /metrics is served for Prometheus; 0 takes any that is free, off serves none',
    default: 9090,
    parse: integerOr('off', 0, 65_535),
  },
  otlpUrl: {
    env: 'KORA_OTLP_URL',
    what: 'a collector of OpenTelemetry to which traces are sent by OTLP over HTTP, as http://host:4318; without it nothing is traced',
    default: undefined,
    parse: otlpUrl,
  },
  traceRatio: {
    env: 'KORA_TRACE_RATIO',
    what: 'how many of the traces that begin here are sent, from 0 to 1; one that a caller began is sent when the caller says so',
    default: 1,
    parse: ratio,
  },
  streamTransport: {
    env: 'KORA_STREAM_TRANSPORT',
    what: 'what the stream door listens with: uws, or ws, which also takes over where uWebSockets cannot be loaded',
    default: 'uws',
    parse: oneOf(streamServers),
  },
  advertise: {
    env: 'KORA_ADVERTISE',
    what: 'host:port under which other processes on the same database reach this one; it listens there for them, on the address of the doors. Without it nothing is forwarded',
    default: undefined,
    parse: hostAndPort,
  },
  allowedOrigins: {
    env: 'KORA_ALLOWED_ORIGINS',
    what: 'origins of the pages that may connect, with commas between them: https://app.example,https://admin.example',
    default: [],
    parse: origins,
  },
  streamConnectionsMax: {
    env: 'KORA_STREAM_CONNECTIONS_MAX',
    what: 'connections of the stream door',
    default: 10_000,
    parse: integer(1),
  },
  streamConnectionsPerPrincipalMax: {
    env: 'KORA_STREAM_CONNECTIONS_PER_PRINCIPAL_MAX',
    what: 'connections of the stream door that one principal may have',
    default: 1_000,
    parse: integer(1),
  },
  streamConnectionsPerAddressMax: {
    env: 'KORA_STREAM_CONNECTIONS_PER_ADDRESS_MAX',
    what: 'connections of the stream door from one address (IPv6: one /64); behind a proxy all come from its address',
    default: 1_000,
    parse: integer(1),
  },
  streamSubscriptionsMax: {
    env: 'KORA_STREAM_SUBSCRIPTIONS_MAX',
    what: 'topics that one connection may watch',
    default: 5_000,
    parse: integer(1),
  },
  streamSubscriptionsPerPrincipalMax: {
    env: 'KORA_STREAM_SUBSCRIPTIONS_PER_PRINCIPAL_MAX',
    what: 'topics that all connections of one principal may watch',
    default: 50_000,
    parse: integer(1),
  },
  streamSubscriptionsPerAddressMax: {
    env: 'KORA_STREAM_SUBSCRIPTIONS_PER_ADDRESS_MAX',
    what: 'topics that all connections from one address may watch',
    default: 50_000,
    parse: integer(1),
  },
  streamSubscriptionsInAllMax: {
    env: 'KORA_STREAM_SUBSCRIPTIONS_IN_ALL_MAX',
    what: 'topics that all connections may watch',
    default: 500_000,
    parse: integer(1),
  },
  streamMessageBytesMax: {
    env: 'KORA_STREAM_MESSAGE_BYTES_MAX',
    what: 'the largest message of a client of the stream door, in bytes; a token must fit in',
    default: 10_240,
    parse: integer(1024, 1024 * 1024),
  },
  streamMessagesPerSecond: {
    env: 'KORA_STREAM_MESSAGES_PER_SECOND',
    what: 'messages that a client of the stream door may send per second in the long run',
    default: 200,
    parse: integer(1),
  },
  streamMessagesAtOnce: {
    env: 'KORA_STREAM_MESSAGES_AT_ONCE',
    what: 'messages that it may send at once, when it subscribes to everything that it watches',
    default: 6_000,
    parse: integer(1),
  },
  streamBufferedBytesMax: {
    env: 'KORA_STREAM_BUFFERED_BYTES_MAX',
    what: 'bytes that may wait for a client of the stream door; one that is slower is closed, and resumes',
    default: 1_048_576,
    parse: integer(16_384, 64 * 1024 * 1024),
  },
  streamRecheckMs: {
    env: 'KORA_STREAM_RECHECK_MS',
    what: 'how often the stream door looks at the tokens of open connections again: ended sessions are noticed by it',
    default: 5_000,
    parse: integer(100, 600_000),
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
  serviceKeysAccepted: {
    env: 'KORA_SERVICE_KEYS_ACCEPTED',
    what: 'Ed25519 keys (PEM, one after the other, or a JWK Set) whose service tokens are still taken while the key is rotated',
    default: undefined,
    parse: (text) => text,
  },
  checkpointDir: {
    env: 'KORA_CHECKPOINT_DIR',
    what: 'folder of the signed checkpoints; without it checkpoints/ in the data folder, and with DATABASE_URL serve writes none',
    default: undefined,
    parse: (text) => text,
  },
  checkpointEveryMs: {
    env: 'KORA_CHECKPOINT_EVERY_MS',
    what: 'serve signs the head of the log every so many milliseconds in which it moved; 0: never',
    default: 600_000,
    parse: integer(0, 2_000_000_000),
  },
  checkpointKey: {
    env: 'KORA_CHECKPOINT_KEY',
    what: 'Ed25519 private key of the signed checkpoints, as PEM (PKCS #8) or JWK; without it one is made in the data folder',
    default: undefined,
    parse: (text) => text,
  },
  rpcTlsCertificate: {
    env: 'KORA_RPC_TLS_CERTIFICATE',
    what: 'file with the certificate of the rpc door, and its chain, in PEM; with it the door speaks TLS only, to clients with certificates',
    default: undefined,
    parse: (text) => text,
  },
  rpcTlsKey: {
    env: 'KORA_RPC_TLS_KEY',
    what: 'file with the private key of that certificate, in PEM',
    default: undefined,
    parse: (text) => text,
  },
  rpcTlsClientCa: {
    env: 'KORA_RPC_TLS_CLIENT_CA',
    what: 'file with the certificates, in PEM, of those who may issue certificates of clients',
    default: undefined,
    parse: (text) => text,
  },
  rpcTlsNames: {
    env: 'KORA_RPC_TLS_NAMES',
    what: 'bound: a token is taken only over a certificate that bears its service as a DNS name; free: over any of the client CA',
    default: 'bound',
    parse: oneOf(tlsNames),
  },
  drainNoticeMs: {
    env: 'KORA_DRAIN_NOTICE_MS',
    what: 'on stopping, the http and the rpc door say to health checks that they are not ready for so many milliseconds before they take nothing new',
    default: 0,
    parse: integer(0, 600_000),
  },
  identityKeys: {
    env: 'KORA_IDENTITY_KEYS',
    what: 'keys of what is personal, newest first, as id:key,id:key with 32 bytes in base64 each; without it one is made in the data folder',
    default: undefined,
    parse: (text) => text,
  },
  localUsers: {
    env: 'KORA_LOCAL_USERS',
    what: 'on: people sign up and log in here; off: only tokens of the OIDC issuer let people in',
    default: 'on',
    parse: oneOf(switches),
  },
  oidcIssuer: {
    env: 'KORA_OIDC_ISSUER',
    what: 'an OpenID provider whose tokens let people in, as its tokens name it: https://login.example',
    default: undefined,
    parse: issuerUrl,
  },
  oidcAudience: {
    env: 'KORA_OIDC_AUDIENCE',
    what: 'what its tokens for this kora name as audience; needed with an issuer',
    default: undefined,
    parse: (text) => text,
  },
  oidcRolesClaim: {
    env: 'KORA_OIDC_ROLES_CLAIM',
    what: 'the claim of its tokens that lists roles, as roles or realm_access.roles',
    default: 'roles',
    parse: (text) => text,
  },
  oidcRoles: {
    env: 'KORA_OIDC_ROLES',
    what: 'its roles and ours, as theirs=customer,theirs=support; without it our own names, but for admin',
    default: undefined,
    parse: pairs,
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
    what: 'a captured payment is due to be settled after so many milliseconds, where its provider has no calendar',
    default: 24 * HOUR_MS,
    parse: integer(1),
  },
  connectorsFile: {
    env: 'KORA_CONNECTORS',
    flag: '--connectors <file>',
    what: 'banks, providers and their connectors, as JSON (docs/connectors.md); a changed file is taken while kora runs. Without it nothing is told to anybody',
    default: undefined,
    parse: (text) => text,
  },
  connectorLogDays: {
    env: 'KORA_CONNECTOR_LOG_DAYS',
    what: 'days for which calls of connectors are kept in bank_connector_logs',
    default: 30,
    parse: integer(1, 3_650),
  },
  statementKeys: {
    env: 'KORA_STATEMENT_KEYS',
    what: 'keys that wrap the keys of statements, newest first, as id:key,id:key with 32 bytes in base64 each; without it one is made in the data folder',
    default: undefined,
    parse: (text) => text,
  },
  statementBytesMax: {
    env: 'KORA_STATEMENT_BYTES_MAX',
    what: 'the largest file of a bank that is taken in, in bytes',
    default: 256 * 1024 * 1024,
    parse: integer(1024, 64 * 1024 * 1024 * 1024),
  },
  statementsDir: {
    env: 'KORA_STATEMENTS_DIR',
    what: 'folder of the files of banks, sealed, where there is no bucket, and of those that are arriving; without it statements/ in the data folder',
    default: undefined,
    parse: (text) => text,
  },
  s3Bucket: {
    env: 'KORA_S3_BUCKET',
    what: 'a bucket of S3 that keeps the files of banks, sealed; who may write it is said to the library of S3 (AWS_ACCESS_KEY_ID …, or a role)',
    default: undefined,
    parse: (text) => text,
  },
  s3Region: {
    env: 'KORA_S3_REGION',
    what: 'the region of the bucket',
    default: 'us-east-1',
    parse: (text) => text,
  },
  s3Endpoint: {
    env: 'KORA_S3_ENDPOINT',
    what: 'a server of S3 that is not Amazon’s, as https://host:port',
    default: undefined,
    parse: httpUrl,
  },
  s3PathStyle: {
    env: 'KORA_S3_PATH_STYLE',
    what: 'on: the bucket is in the path and not in the name of the host, as most servers of one’s own want it',
    default: 'off',
    parse: oneOf(switches),
  },
  connectorsInFlightMax: {
    env: 'KORA_CONNECTORS_IN_FLIGHT_MAX',
    what: 'payments that this process has at work with providers at a time; more than limits.concurrencyMax and waitingMax of one connector together, or one that hangs keeps the others waiting',
    default: 2_048,
    parse: integer(4),
  },
  webhooksNetworks: {
    env: 'KORA_WEBHOOKS_NETWORKS',
    what: 'private addresses and networks that webhooks may call: 10.2.0.0/16; of 127.0.0.0/8 and ::1 also without TLS',
    default: [],
    parse: networks,
  },
  webhooksKeptMs: {
    env: 'KORA_WEBHOOKS_KEPT_MS',
    what: 'deliveries that ended are kept for so many milliseconds: as far back they can be replayed; dead ones are kept for ever',
    default: 7 * 24 * HOUR_MS,
    parse: integer(60_000),
  },
  eventsRedisUrl: {
    env: 'KORA_EVENTS_REDIS_URL',
    what: 'a Redis to whose stream kora:events every event for others is added, as redis://host:port',
    default: undefined,
    parse: redisUrl,
  },
  eventsSecret: {
    env: 'KORA_EVENTS_SECRET',
    what: 'what the entries of that stream are signed with (without it they are not), and the feeds of reconciliation (without it by a secret of the data folder)',
    default: undefined,
    parse: (text) => text,
  },
  reconciliationDatabaseUrl: {
    env: 'KORA_RECONCILIATION_DATABASE_URL',
    what: 'the database of reconciliation, a PostgreSQL database of its own, as postgresql://user@host:port/database, or embedded: one in the embedded PostgreSQL; without it nothing is reconciled',
    default: undefined,
    parse: (text) => (text === 'embedded' ? text : databaseUrl(text)),
  },
  reconciliationRules: {
    env: 'KORA_RECONCILIATION_RULES',
    what: 'a file of matching rules in place of those that are built in: docs/reconciliation.md',
    default: undefined,
    parse: (text) => text,
  },
  fourEyesAbove: {
    env: 'KORA_FOUR_EYES_ABOVE',
    what: 'above how much a correction or write-off of reconciliation needs another person, minor units by currency, as XOF=500000,GHS=100000; a currency that is not named always does',
    default: undefined,
    parse: (text) => text,
  },
  caseDueDays: {
    env: 'KORA_CASE_DUE_DAYS',
    what: 'in how many days a new case of reconciliation should be dealt with, by kind, 0 to 365, as mismatch=2,missing_internal=3; a kind that is not named has its built-in days: docs/reconciliation.md',
    default: undefined,
    parse: (text) => text,
  },
  coreUrl: {
    env: 'KORA_CORE_URL',
    what: 'of kora serve --roles reconciliation: the http door of the core, as https://host:port',
    default: undefined,
    parse: httpUrl,
  },
  coreCa: {
    env: 'KORA_CORE_CA',
    what: "file with the certificates, in PEM, of those who may have issued the core's; without it those that Node trusts",
    default: undefined,
    parse: (text) => text,
  },
  coreCertificate: {
    env: 'KORA_CORE_CERTIFICATE',
    what: 'file with the certificate that is shown to the core, and its chain, in PEM; its name is reconciliation',
    default: undefined,
    parse: (text) => text,
  },
  coreKey: {
    env: 'KORA_CORE_KEY',
    what: 'file with the private key of that certificate, in PEM',
    default: undefined,
    parse: (text) => text,
  },
  reconciliationUrl: {
    env: 'KORA_RECONCILIATION_URL',
    what: 'of a core that reconciles nothing itself: where cases are, the http door of kora serve --roles reconciliation; it is said to who asks here',
    default: undefined,
    parse: httpUrl,
  },
};
