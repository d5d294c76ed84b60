/** What is set from outside, as the product reads it. Where it comes from is in `config-options.ts`. */
export interface KoraConfig {
  readonly databaseUrl: string | undefined;
  readonly eventstoreUrl: string | undefined;
  readonly dataDir: string;
  readonly archiveDir: string | undefined;
  readonly host: string;
  readonly httpPort: number;
  readonly httpTlsCertificate: string | undefined;
  readonly httpTlsKey: string | undefined;
  readonly httpTlsClientCa: string | undefined;
  readonly httpTrustedProxies: readonly string[];
  readonly httpRatePerAddress: number;
  readonly httpRatePerUser: number;
  readonly httpRatePerService: number;
  readonly redisUrl: string | undefined;
  readonly idempotencyRetentionMs: number;
  readonly rpcPort: number;
  readonly streamPort: number;
  readonly metricsPort: number | 'off';
  readonly otlpUrl: string | undefined;
  readonly traceRatio: number;
  readonly streamTransport: (typeof streamServers)[number];
  readonly advertise: string | undefined;
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
  readonly checkpointDir: string | undefined;
  readonly checkpointEveryMs: number;
  readonly checkpointKey: string | undefined;
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
  readonly connectorsFile: string | undefined;
  readonly connectorLogDays: number;
  readonly statementKeys: string | undefined;
  readonly statementBytesMax: number;
  readonly statementsDir: string | undefined;
  readonly s3Bucket: string | undefined;
  readonly s3Region: string;
  readonly s3Endpoint: string | undefined;
  readonly s3PathStyle: (typeof switches)[number];
  readonly connectorsInFlightMax: number;
  readonly webhooksNetworks: readonly string[];
  readonly webhooksKeptMs: number;
  readonly eventsRedisUrl: string | undefined;
  readonly eventsSecret: string | undefined;
  readonly reconciliationDatabaseUrl: string | undefined;
  readonly reconciliationRules: string | undefined;
  readonly fourEyesAbove: string | undefined;
  readonly caseDueDays: string | undefined;
  readonly coreUrl: string | undefined;
  readonly coreCa: string | undefined;
  readonly coreCertificate: string | undefined;
  readonly coreKey: string | undefined;
  readonly reconciliationUrl: string | undefined;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `bound`: a token is only taken over a certificate that bears the name of its service. */
export const tlsNames = ['bound', 'free'] as const;

/** What can stand behind the transport port of the stream door. */
export const streamServers = ['uws', 'ws'] as const;

export const switches = ['on', 'off'] as const;
