import { Type } from 'typebox';

const principal = Type.Object(
  {
    tenant: Type.String(),
    principal: Type.String({ description: '`user:<id>` or `service:<name>`' }),
    roles: Type.Array(Type.String()),
    scopes: Type.Optional(Type.Array(Type.String(), { description: 'absent: everything' })),
    sessionId: Type.Optional(Type.String()),
    deviceId: Type.Optional(Type.String()),
    expiresAtMs: Type.Number({ description: 'when the token ends, in milliseconds since 1970' }),
  },
  { additionalProperties: false, title: 'VerifiedPrincipal' },
);

/** As RFC 7662 has it, in our words: whatever is not `ok` lets nobody in. */
export const tokenVerification = Type.Object(
  {
    ok: Type.Boolean(),
    principal: Type.Optional(principal),
    reason: Type.Optional(Type.String({ description: 'missing, expired, ended, wrong-device or invalid' })),
    message: Type.Optional(Type.String()),
  },
  { additionalProperties: false, title: 'TokenVerification' },
);

const caller = {
  token: Type.String({ minLength: 1, maxLength: 8_192 }),
  deviceId: Type.Optional(Type.String({ maxLength: 128, description: 'as the caller named it in `Kora-Device`' })),
};

export const tokenBody = Type.Object(caller, { additionalProperties: false, title: 'TokenToVerify' });

export const sensitiveBody = Type.Object(
  {
    ...caller,
    method: Type.String({ pattern: '^[A-Z]{3,7}$' }),
    path: Type.String({ pattern: '^/', maxLength: 2_048, description: 'as it was sent, with its query' }),
    timestamp: Type.Optional(Type.String({ maxLength: 64 })),
    nonce: Type.Optional(Type.String({ maxLength: 128 })),
    signature: Type.Optional(Type.String({ maxLength: 256 })),
    bodySha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    address: Type.Optional(Type.String({ maxLength: 64, description: 'where the caller comes from' })),
  },
  { additionalProperties: false, title: 'SensitiveRequest' },
);

export const sensitiveVerification = Type.Object(
  {
    ok: Type.Boolean(),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
    windowMs: Type.Optional(Type.Number()),
  },
  { additionalProperties: false, title: 'SensitiveVerification' },
);
