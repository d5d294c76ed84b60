import type { IdentityRefusalCode } from '../../identity/index.ts';
import type { RefusalCode } from '../../kernel/refusal.ts';
import type { CaseRefusalCode } from '../../reconciliation/index.ts';
import type { WebhookRefusalCode } from '../../webhooks/index.ts';

/** What a problem is on the wire: its status and its sentence for people. Its `type` is made from the code. */
export interface ProblemKind {
  readonly status: number;
  /** The same for every occurrence (RFC 9457, `title`). */
  readonly title: string;
  /** What a caller can do about it, for docs/errors.md. */
  readonly remedy: string;
}

/**
 * Refusals of the core. Exhaustive: a new code of the core breaks the build here until somebody has said what it is on the
 * wire. 422: the figures do not allow it. 409: the state of the thing does not. 503: nothing was written, send it again.
 */
const coreProblems: Readonly<Record<RefusalCode, ProblemKind>> = {
  Invalid: {
    status: 400,
    title: 'The request cannot be right',
    remedy: 'Correct the field that `field` names; `detail` says what is wanted.',
  },
  NotFound: {
    status: 404,
    title: 'There is nothing here',
    remedy: 'Check the id. What belongs to somebody else is answered in the same way.',
  },
  InsufficientFunds: {
    status: 422,
    title: 'The account has too little',
    remedy: 'Top the account up and pay with a new key: this key keeps its answer.',
  },
  AccountFrozen: {
    status: 409,
    title: 'The account is frozen',
    remedy: 'Nothing can be debited until an admin unfreezes it.',
  },
  AccountClosed: { status: 409, title: 'The account is closed', remedy: 'Use another account.' },
  AccountExists: {
    status: 409,
    title: 'The account exists already',
    remedy: 'Choose another id, or leave it out: then one is made.',
  },
  AccountNotEmpty: {
    status: 409,
    title: 'The account is not empty',
    remedy: 'Bring `posted`, `held` and `openPayments` to 0 first.',
  },
  IllegalTransition: {
    status: 409,
    title: 'The state does not allow it',
    remedy: 'Look at `state`, and at what `allowed` lists.',
  },
  InstructionLive: {
    status: 409,
    title: 'A provider is at it',
    remedy: 'Wait until its outcome is known: it is asked for until then.',
  },
  HoldExpired: { status: 409, title: 'The hold has expired', remedy: 'Make a new payment.' },
  CaptureExceedsAuthorized: {
    status: 422,
    title: 'More was to be captured than is authorized',
    remedy: 'Capture at most `authorized`.',
  },
  RefundExceedsCaptured: {
    status: 422,
    title: 'More was to be refunded than is left',
    remedy: 'Refund at most `refundable`, with a new key.',
  },
  PaymentFailed: { status: 409, title: 'The payment has failed', remedy: 'Make a new payment.' },
  IdempotencyConflict: {
    status: 422,
    title: 'The idempotency key was used for something else',
    remedy: 'Use a new key for a new request, and the same body with the same key.',
  },
  Overloaded: {
    status: 503,
    title: 'Too much is at work',
    remedy: 'Nothing was written. Send it again with the same key after `Retry-After` seconds, with jitter.',
  },
  Contended: {
    status: 503,
    title: 'Too many changed the same thing at once',
    remedy: 'Nothing was written. Send it again with the same key.',
  },
};

/** Refusals of the Providers, about statements. */
const statementProblems = {
  NotQuarantined: {
    status: 409,
    title: 'The statement is not quarantined',
    remedy: 'Look at its `status`: only a file that failed a check is released.',
  },
} satisfies Readonly<Record<string, ProblemKind>>;

/** Refusals of the Providers, about payments. */
const askingProblems = {
  NotAskable: {
    status: 409,
    title: 'The provider cannot be asked about the payment',
    remedy:
      'The detail says why: nobody was told of it, or nobody can be asked now. What can be asked is asked by itself, in its turn.',
  },
} satisfies Readonly<Record<string, ProblemKind>>;

/** Problems of the door itself. */
const doorProblems = {
  Unauthenticated: {
    status: 401,
    title: 'It is not known who calls',
    remedy:
      '`reason` is missing, expired (refresh the token), ended (log in again), wrong-device, invalid, or certificate (a service comes with its own).',
  },
  Forbidden: {
    status: 403,
    title: 'Not for this caller',
    remedy: 'Neither the roles nor the scopes of the token allow this call, whatever it names.',
  },
  IdempotencyKeyMissing: {
    status: 400,
    title: 'The idempotency key is missing',
    remedy:
      'Send `Idempotency-Key`, 1 to 255 printable characters of ASCII, new for each request, the same for its retries.',
  },
  StillRunning: {
    status: 409,
    title: 'The same request is at work',
    remedy: 'Send it again with the same key after `Retry-After` seconds: then it has its answer.',
  },
  ReconciledElsewhere: {
    status: 404,
    title: 'Cases are in another process',
    remedy: 'Ask at `url`, with the same token; where there is none, ask who runs it where reconciliation is.',
  },
  UnsupportedMediaType: {
    status: 415,
    title: 'Only JSON is read',
    remedy: 'Send `content-type: application/json`, in UTF-8 and not compressed.',
  },
  BodyTooLarge: { status: 413, title: 'The body is too large', remedy: 'Send less: no request needs as much.' },
  HeadersTooLarge: { status: 431, title: 'The headers are too large', remedy: 'Send less: no request needs as much.' },
  TooManyRequests: {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait `Retry-After` seconds. The limit is per principal, and per address for whoever is no service.',
  },
  RequestTimeout: {
    status: 408,
    title: 'The request did not arrive in time',
    remedy: 'Send it again, as a whole.',
  },
  OutcomeUnknown: {
    status: 504,
    title: 'No answer in time',
    remedy: 'The outcome is unknown. Send it again with the same key until it is answered.',
  },
  ShuttingDown: {
    status: 503,
    title: 'This process is ending',
    remedy: 'Nothing was done. Send it again with the same key: another process takes it.',
  },
  Unavailable: {
    status: 503,
    title: 'The store cannot be reached',
    remedy: 'The outcome is unknown. Send it again with the same key until it is answered.',
  },
  Internal: {
    status: 500,
    title: 'Something broke here',
    remedy: 'The outcome is unknown. Send it again with the same key; tell us the correlation id.',
  },
} satisfies Readonly<Record<string, ProblemKind>>;

/** Refusals of identity. Exhaustive as well. No title tells whether somebody is known here. */
const identityProblems: Readonly<Record<IdentityRefusalCode, ProblemKind>> = {
  InvalidIdentity: {
    status: 400,
    title: 'The request cannot be right',
    remedy: 'Correct the field that `field` names.',
  },
  LoginTaken: { status: 409, title: 'The login is taken', remedy: 'Log in, or sign up with another.' },
  PasswordRefused: {
    status: 422,
    title: 'The password is not good enough',
    remedy: '`reason` is short, long, breached or guessable: choose another.',
  },
  WrongCredentials: {
    status: 401,
    title: 'Login or password is wrong',
    remedy: 'Try again; after some failures there is a pause.',
  },
  TooManyAttempts: { status: 429, title: 'Too many attempts', remedy: 'Wait `Retry-After` seconds.' },
  DeviceKeyMismatch: {
    status: 409,
    title: 'The device is registered with another key',
    remedy: 'Use the key of the device, or a new device id.',
  },
  RefreshRefused: { status: 401, title: 'The refresh token is not good', remedy: 'Log in again.' },
  SessionNotFound: { status: 404, title: 'There is no such session', remedy: 'List the sessions.' },
  UserNotFound: { status: 404, title: 'There is no such user', remedy: 'Check the id.' },
  NotPermitted: { status: 403, title: 'Not for this caller', remedy: 'The roles of the caller do not allow it.' },
  LastAdmin: { status: 409, title: 'Somebody must be admin', remedy: 'Make another user admin first.' },
  SignatureRequired: {
    status: 401,
    title: 'A sensitive command without its signature',
    remedy: 'Sign it with the device key: `Kora-Timestamp`, `Kora-Nonce`, `Kora-Signature` (docs/security.md).',
  },
  SignatureInvalid: {
    status: 401,
    title: 'The signature is not that of this device for this request',
    remedy: 'Sign method, path, time, nonce and body as they are sent (docs/security.md).',
  },
  TimestampOutsideWindow: {
    status: 401,
    title: 'The time-stamp is too far from now',
    remedy: 'Set the clock, and sign anew: `windowMs` to either side are taken.',
  },
  NonceReplayed: {
    status: 401,
    title: 'The nonce was used before',
    remedy: 'Sign with a new nonce, with the same idempotency key if it is a retry.',
  },
  LocalUsersOff: {
    status: 403,
    title: 'Users are known by their issuer alone',
    remedy: 'Get a token from the OIDC issuer that this Kora trusts.',
  },
  IdentityBusy: {
    status: 503,
    title: 'Too many passwords are being checked',
    remedy: 'Nothing was done. Send it again after `Retry-After` seconds.',
  },
};

/** Refusals of webhooks. Exhaustive as well. */
const webhookProblems: Readonly<Record<WebhookRefusalCode, ProblemKind>> = {
  WebhookNotFound: {
    status: 404,
    title: 'There is no such webhook',
    remedy: 'List the webhooks. One that is somebody else’s is answered in the same way.',
  },
  WebhookRefused: {
    status: 422,
    title: 'No webhook can be like this',
    remedy: 'Correct the field that `field` names: a public https URL, and types of events that there are.',
  },
  TooManyWebhooks: { status: 409, title: 'There are too many webhooks', remedy: 'Remove one first.' },
  DeliveryNotDead: {
    status: 409,
    title: 'The delivery is not dead',
    remedy: 'Only what was given up can be skipped: list the deliveries with `status=dead`.',
  },
};

/** Refusals of cases of reconciliation, beside those of the core. Exhaustive as well. */
const caseProblems: Readonly<Record<Exclude<CaseRefusalCode, RefusalCode>, ProblemKind>> = {
  NotAssignee: {
    status: 409,
    title: 'Somebody else has the case',
    remedy: 'Only who a case is assigned to resolves it: have it assigned first.',
  },
  SelfApproval: {
    status: 403,
    title: 'Nobody approves their own proposal',
    remedy: 'Another reviewer, or an admin, has to approve it.',
  },
  ProposalChanged: {
    status: 409,
    title: 'Something else is proposed by now',
    remedy: 'Look at the case again, and at `proposal`, before you approve.',
  },
  CaseAtWork: {
    status: 409,
    title: 'A resolution is being carried out',
    remedy: 'Look at the case again in a moment.',
  },
};

/** For docs/errors.md. */
export const problemGroups: Readonly<Record<string, Readonly<Record<string, ProblemKind>>>> = {
  'Refusals of the core': coreProblems,
  'Refusals of identity': identityProblems,
  'Refusals of webhooks': webhookProblems,
  'Refusals of statements': statementProblems,
  'Refusals to ask': askingProblems,
  'Refusals of cases': caseProblems,
  'Problems of the door': doorProblems,
};

export const problemKinds = {
  ...coreProblems,
  ...doorProblems,
  ...identityProblems,
  ...webhookProblems,
  ...statementProblems,
  ...askingProblems,
  ...caseProblems,
} as const;
export type ProblemCode = keyof typeof problemKinds;

/** Where the stable addresses of problems begin. They name, they need not lead anywhere: docs/errors.md explains them. */
const TYPE_BASE = 'https://kora.dev/problems/';

/** `InsufficientFunds` → `https://kora.dev/problems/insufficient-funds`. */
export function problemTypeOf(code: string): string {
  return TYPE_BASE + code.replace(/(?<=[a-z0-9])[A-Z]/g, (capital) => `-${capital}`).toLowerCase();
}
