import { Type } from 'typebox';
import { userRoles } from '../../../identity/index.ts';
import { instant } from './fields.ts';

const loginText = Type.String({
  minLength: 3,
  maxLength: 320,
  description: 'a phone number with its country code (+221771234567), or an e-mail address',
  examples: ['+221771234567'],
});

/** Longer ones than a password may be are let through to be refused with their reason. */
const password = Type.String({ minLength: 1, maxLength: 1024, description: 'the password, 10 to 128 characters' });

const deviceId = Type.String({
  pattern: '^[A-Za-z0-9_-]{8,64}$',
  description: 'id of the device, chosen by the app: 8 to 64 of A-Z a-z 0-9 _ -',
  examples: ['phone-8c1f0a'],
});

const device = Type.Object(
  {
    id: deviceId,
    publicKey: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'its Ed25519 public key, 32 bytes in base64url: sensitive commands are signed with the private one',
    }),
  },
  { additionalProperties: false, title: 'Device' },
);

const userRole = Type.Unsafe<(typeof userRoles)[number]>({ type: 'string', enum: [...userRoles] });
const roles = Type.Array(userRole, { maxItems: userRoles.length, uniqueItems: true });
const userId = Type.String({ pattern: '^[A-Za-z0-9_-]{20,40}$', description: 'id of a user, without "user:"' });
const sessionId = Type.String({ pattern: '^[A-Za-z0-9_-]{20,40}$', description: 'id of a session' });

export const credentials = Type.Object(
  { login: loginText, password, device },
  { additionalProperties: false, title: 'Credentials' },
);

export const refreshBody = Type.Object(
  { refreshToken: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'as it was answered; good once' }) },
  { additionalProperties: false, title: 'Refresh' },
);

export const signedIn = Type.Object(
  {
    userId,
    roles,
    sessionId,
    accessToken: Type.String({ description: 'send it as `Authorization: Bearer`, with `Kora-Device`' }),
    accessExpiresAt: instant,
    refreshToken: Type.String({ description: 'for the next pair of tokens, once' }),
    refreshExpiresAt: instant,
  },
  { additionalProperties: false, title: 'SignedIn' },
);

export const me = Type.Object(
  {
    principal: Type.String({ description: 'user:<id>, as owners of accounts are called' }),
    userId,
    roles: Type.Array(Type.String()),
    login: Type.Optional(
      Type.Object(
        { kind: Type.Unsafe<'phone' | 'email'>({ type: 'string', enum: ['phone', 'email'] }), value: Type.String() },
        { additionalProperties: false },
      ),
    ),
    createdAt: Type.Optional(instant),
  },
  { additionalProperties: false, title: 'Me' },
);

const session = Type.Object(
  {
    id: sessionId,
    deviceId,
    createdAt: instant,
    lastUsedAt: instant,
    expiresAt: instant,
    current: Type.Boolean({ description: 'the one that asks' }),
  },
  { additionalProperties: false, title: 'Session' },
);
export const sessionList = Type.Object(
  { items: Type.Array(session) },
  { additionalProperties: false, title: 'Sessions' },
);
export const sessionParams = Type.Object({ id: sessionId }, { additionalProperties: false });

export const passwordChange = Type.Object(
  { current: password, next: password },
  { additionalProperties: false, title: 'PasswordChange' },
);

export const userParams = Type.Object({ userId }, { additionalProperties: false });
export const rolesBody = Type.Object({ roles }, { additionalProperties: false, title: 'Roles' });
export const userRolesAnswer = Type.Object({ userId, roles }, { additionalProperties: false, title: 'UserRoles' });

export const jwks = Type.Object(
  { keys: Type.Array(Type.Record(Type.String(), Type.String())) },
  { additionalProperties: false, title: 'JsonWebKeySet' },
);
