import { Type, type Static } from 'typebox';
import { choice, integer, secretReference, text } from '../schema-words.ts';
import type { Secret } from '../secrets.ts';

const closed = { additionalProperties: false };

const header = (standard: string) =>
  Type.String({
    pattern: '^[a-z0-9-]{1,64}$',
    default: standard,
    description: `the name of a header in lower case is wanted, such as ${standard}`,
  });

const path = (standard: string) =>
  Type.String({
    pattern: '^/[^\\s?#]*$',
    maxLength: 200,
    default: standard,
    description: `a path is wanted, such as ${standard}`,
  });

/** Settings of a `rest` connector, as they are in the file. */
export const restSettings = Type.Object(
  {
    baseUrl: Type.String({
      format: 'http-url',
      description: 'a URL without query and user is wanted, such as https://api.bank.example/v1',
    }),
    hmacSecret: secretReference,
    apiKey: Type.Optional(secretReference),
    /** Of callbacks. Default: the one of requests. */
    callbackSecret: Type.Optional(secretReference),
    /** While it is being changed: signatures by either are good. */
    callbackSecretBefore: Type.Optional(secretReference),
    callbackWithinMs: integer(1_000, 24 * 3_600_000, 300_000),
    tls: Type.Optional(
      Type.Object(
        {
          /** PEM. With a key and a certificate we show who we are (mTLS). */
          cert: Type.Optional(secretReference),
          key: Type.Optional(secretReference),
          /** PEM of the authority that the provider's certificate is from. Default: those that Node knows. */
          ca: Type.Optional(secretReference),
          serverName: Type.Optional(text('the name in the certificate of the provider is wanted')),
        },
        closed,
      ),
    ),
    paths: Type.Object(
      {
        disburse: path('/disbursements'),
        collect: path('/collections'),
        /** Before `/<provider reference>`, and with `?reference=<our key>`. */
        status: path('/payments'),
        health: path('/health'),
      },
      { ...closed, default: {} },
    ),
    headers: Type.Object(
      {
        clientKey: header('x-api-key'),
        timestamp: header('x-timestamp'),
        nonce: header('x-nonce'),
        signature: header('x-signature'),
        trace: header('x-request-id'),
      },
      { ...closed, default: {} },
    ),
    /** Where the provider wants the idempotency key. It is in the body's `reference` always: there we are found by it. */
    idempotency: Type.Object(
      {
        in: choice(['header', 'body'], { default: 'header' }),
        name: Type.String({
          pattern: '^[A-Za-z0-9_-]{1,64}$',
          default: 'idempotency-key',
          description: 'the name of a header or a field is wanted',
        }),
      },
      { ...closed, default: {} },
    ),
    /** Codes of refusals that are the provider's own trouble: another connector may be asked. */
    elsewhereCodes: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      default: ['ProviderUnavailable', 'OutOfFloat', 'LimitReached', 'NotServed'],
      description: 'a list of codes is wanted',
    }),
    /** The provider's contract says that a well-formed 429 or 503 means "not taken". Otherwise nobody knows. */
    notTakenIsFinal: Type.Boolean({ default: false, description: 'true or false is wanted' }),
    connectTimeoutMs: integer(1, 120_000, 5_000),
    /** Idle connections are closed by us before the provider does: a request that meets its closing is in doubt. */
    idleMs: integer(0, 600_000, 4_000),
  },
  closed,
);

export const restSecrets = [
  'hmacSecret',
  'apiKey',
  'callbackSecret',
  'callbackSecretBefore',
  'tls.cert',
  'tls.key',
  'tls.ca',
] as const;

/** With the secrets in it, as `init` gets them. */
export type RestSettings = WithSecrets<Static<typeof restSettings>>;

type SecretName = 'hmacSecret' | 'apiKey' | 'callbackSecret' | 'callbackSecretBefore' | 'cert' | 'key' | 'ca';
type WithSecrets<Settings> = {
  readonly [Name in keyof Settings]: Name extends SecretName
    ? Secret | Extract<Settings[Name], undefined>
    : Settings[Name] extends object | undefined
      ? WithSecrets<Settings[Name]>
      : Settings[Name];
};
