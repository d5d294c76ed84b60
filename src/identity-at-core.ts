import { Ajv } from 'ajv';
import { Type } from 'typebox';
import type { Authenticator, AuthVerdict, Principal } from './gateway/principal.ts';
import { type Identity, type IdentityRefusal, userRoles } from './identity/index.ts';
import { type CoreLink, CoreUnreachableError } from './reconciliation/index.ts';

/** Who calls a door apart, as the core says. Nothing is remembered: a session that ended has ended here at once. */
export interface IdentityAtCore {
  readonly authenticator: Authenticator;
  readonly identity: Pick<Identity, 'verifySensitive'>;
}

const words = (...all: readonly string[]) => Type.Unsafe<string>({ type: 'string', enum: all });
const isVerdict = new Ajv().compile<AuthVerdict>(
  Type.Union([
    Type.Object({
      ok: Type.Literal(true),
      principal: Type.Object({
        tenant: Type.String(),
        principal: Type.String({ pattern: '^(user|service):.' }),
        roles: Type.Array(words(...userRoles, 'service')),
        scopes: Type.Optional(Type.Array(Type.String())),
        sessionId: Type.Optional(Type.String()),
        deviceId: Type.Optional(Type.String()),
        expiresAtMs: Type.Number(),
      }),
    }),
    Type.Object({
      ok: Type.Literal(false),
      reason: words('missing', 'expired', 'invalid', 'wrong-device', 'ended'),
      message: Type.String(),
    }),
  ]),
);
type Proof = { readonly ok: true } | ({ readonly ok: false } & IdentityRefusal);
const isProof = new Ajv().compile<Proof>(
  Type.Union([
    Type.Object({ ok: Type.Literal(true) }),
    Type.Object({
      ok: Type.Literal(false),
      code: words('SignatureRequired', 'SignatureInvalid', 'TimestampOutsideWindow', 'NonceReplayed'),
      message: Type.String(),
    }),
  ]),
);

/** Longer ones are no tokens: the core need not be asked. */
const TOKEN_CHARS_MAX = 8_192;

/**
 * Asks the core, as a service with the scope `identity:verify`. When it does not answer nobody is let in.
 *
 * @param correlationId of the request that is at work, where there is one
 */
export function identityAtCore(core: Pick<CoreLink, 'ask' | 'url'>): IdentityAtCore {
  /** With what a principal came: the core wants to see it again when the principal's device signs. */
  const cameWith = new WeakMap<object, { readonly token: string; readonly deviceId?: string }>();
  const asked = async <Answer>(
    path: string,
    body: object,
    isAnswer: (found: unknown) => found is Answer,
    correlationId: string,
  ): Promise<Answer> => {
    const reply = await core.ask({ method: 'POST', path, body, correlationId, timeoutMs: 5_000 });
    if (reply.status === 200 && isAnswer(reply.body)) return reply.body;
    throw new CoreUnreachableError(`the core at ${core.url} answered ${reply.status} to who somebody is`);
  };
  return {
    authenticator: {
      verify: async (token, deviceId) => {
        if (token === undefined) return { ok: false, reason: 'missing', message: 'no token: log in at the core' };
        if (token.length > TOKEN_CHARS_MAX)
          return { ok: false, reason: 'invalid', message: 'the token is too long to be one' };
        const credentials = { token, ...(deviceId !== undefined && { deviceId }) };
        const verdict = await asked('/v1/identity/verify-token', credentials, isVerdict, 'reconciliation:identity');
        if (!verdict.ok) return verdict;
        const principal: Principal = { ...verdict.principal, scopes: verdict.principal.scopes };
        cameWith.set(principal, credentials);
        return { ok: true, principal };
      },
    },
    identity: {
      verifySensitive: async ({ principal, ...request }, from = {}) => {
        const credentials = cameWith.get(principal);
        if (credentials === undefined) throw new Error('a principal that no token was verified for');
        const body = { ...credentials, ...request, ...(from.address !== undefined && { address: from.address }) };
        const correlationId = from.correlationId ?? 'reconciliation:identity';
        const proof = await asked('/v1/identity/verify-sensitive', body, isProof, correlationId);
        if (proof.ok) return { ok: true, value: undefined };
        const { ok: _, ...refusal } = proof;
        return { ok: false, refusal };
      },
    },
  };
}
