import type { Queryable, Vault } from '../vault.ts';
import type { Login } from '../login.ts';
import type { UserRole } from '../role.ts';

export interface User {
  readonly id: string;
  readonly roles: readonly UserRole[];
  readonly rolesVersion: number;
  readonly loginKind: Login['kind'];
  readonly loginSealed: Buffer;
  readonly passwordSealed: Buffer;
  readonly createdAt: Date;
}

const columns = `
  u.id, u.roles, u.roles_version AS "rolesVersion", u.login_kind AS "loginKind", u.login_sealed AS "loginSealed",
  u.password_sealed AS "passwordSealed", u.created_at AS "createdAt"`;

/** What a login is indexed by. Its kind belongs to it, so that no phone number ever meets an address. */
export function indexText(tenant: string, { kind, value }: Login): string {
  return `login ${tenant.length}:${tenant} ${kind} ${value}`;
}

/** Where the sealed values of a user belong: see `Keyring.seal`. */
export const places = {
  login: (userId: string): string => `users.login/${userId}`,
  password: (userId: string): string => `users.password/${userId}`,
};

/** Finds somebody by any key of the keyring. */
export async function findUserByLogin(
  db: Queryable,
  { keyring, tenant }: Pick<Vault, 'keyring' | 'tenant'>,
  login: Login,
): Promise<User | undefined> {
  const indexes = keyring.blindIndexes(indexText(tenant, login));
  const { rows } = await db.query<User>(
    `SELECT ${columns}
     FROM unnest($1::text[], $2::bytea[]) AS asked (key_id, blind_index)
     JOIN identity.login_index USING (key_id, blind_index)
     JOIN identity.users u ON u.id = user_id
     WHERE u.tenant = $3
     LIMIT 1`,
    [indexes.map(({ keyId }) => keyId), indexes.map(({ index }) => index), tenant],
  );
  return rows[0];
}

export async function findUser(
  db: Queryable,
  { tenant }: Pick<Vault, 'tenant'>,
  userId: string,
  lock: '' | 'FOR UPDATE' = '',
): Promise<User | undefined> {
  const { rows } = await db.query<User>(
    `SELECT ${columns} FROM identity.users u WHERE u.id = $1 AND u.tenant = $2 ${lock}`,
    [userId, tenant],
  );
  return rows[0];
}

/** @throws a unique violation (23505) where somebody has this login */
export async function insertUser(
  db: Queryable,
  { keyring, tenant, now }: Vault,
  user: { readonly id: string; readonly login: Login; readonly passwordHash: string; readonly roles: UserRole[] },
): Promise<void> {
  const { id, login, passwordHash, roles } = user;
  await db.query(
    `INSERT INTO identity.users
       (id, tenant, roles, login_kind, login_sealed, password_sealed, created_at, password_changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
    [
      id,
      tenant,
      roles,
      login.kind,
      keyring.seal(login.value, places.login(id)),
      keyring.seal(passwordHash, places.password(id)),
      now(),
    ],
  );
  await indexLogin(db, { keyring, tenant }, id, login);
}

/** Indexes a login under every key of the keyring that it is not indexed under yet. */
export async function indexLogin(
  db: Queryable,
  { keyring, tenant }: Pick<Vault, 'keyring' | 'tenant'>,
  userId: string,
  login: Login,
  present: readonly string[] = [],
): Promise<void> {
  const indexes = keyring
    .blindIndexes(indexText(tenant, login))
    .filter(({ keyId }) => !present.includes(keyId))
    // Always in one order: two sign-ups of one login must not wait for each other crosswise.
    .sort((one, other) => (one.keyId < other.keyId ? -1 : 1));
  await db.query(
    `INSERT INTO identity.login_index (key_id, blind_index, user_id)
     SELECT key_id, blind_index, $3 FROM unnest($1::text[], $2::bytea[]) AS made (key_id, blind_index)`,
    [indexes.map(({ keyId }) => keyId), indexes.map(({ index }) => index), userId],
  );
}

export async function updatePassword(
  db: Queryable,
  { keyring, now }: Pick<Vault, 'keyring' | 'now'>,
  userId: string,
  passwordHash: string,
): Promise<void> {
  await db.query('UPDATE identity.users SET password_sealed = $2, password_changed_at = $3 WHERE id = $1', [
    userId,
    keyring.seal(passwordHash, places.password(userId)),
    now(),
  ]);
}
