import type pg from 'pg';
import type { From, IdentityCaller } from './face.ts';
import type { Ground } from './ground.ts';
import type { Vault } from './vault.ts';
import { readLogin } from './login.ts';
import { recordDecision } from './postgres/audit.ts';
import { inTransaction } from './postgres/transaction.ts';
import { findUser, findUserByLogin, type User } from './postgres/users.ts';
import { granted, refused, type Answer, type IdentityRefusal } from './refusal.ts';
import { proveKeyring } from './reseal.ts';
import { userRoles, type UserRole } from './role.ts';
import { announceRoles } from './tokens/revocations.ts';

/** Changes of roles are made one after the other: two admins who take each other's role at once must not both succeed. */
const lockKeys = [0x6b6f7261, 12];

type Changed = { readonly userId: string; readonly roles: readonly UserRole[] };

const userNotFound: IdentityRefusal = { code: 'UserNotFound', message: 'there is no such user' };
const lastAdmin: IdentityRefusal = {
  code: 'LastAdmin',
  message: 'this is the last admin: make another one first',
};

/** See `Identity.changeRoles`. */
export async function changeRoles(
  ground: Ground,
  caller: IdentityCaller,
  { userId, roles }: Changed,
  from: From,
): Promise<Answer<Changed>> {
  const by = { actor: caller.principal, sessionId: caller.sessionId, deviceId: caller.deviceId, from };
  if (!caller.roles.includes('admin')) {
    const refusal: IdentityRefusal = { code: 'NotPermitted', message: 'only admins change roles' };
    await recordDecision(ground.pool, ground, { ...by, action: 'change-roles', outcome: refusal.code });
    return refused(refusal);
  }
  const { answer, version } = await inTransaction(ground.pool, async (client) => {
    const user = await lockedUser(client, ground, userId);
    return setRoles(client, ground, user, roles, by);
  });
  if (answer.ok && version !== undefined) ground.revocations.rolesChanged(userId, version);
  return answer;
}

/**
 * For the operator at the command line, who needs no admin: that is how the first one comes to be. Running processes see
 * it within seconds.
 *
 * @param change.grant true gives the role, false takes it
 * @throws KeyringError where the keyring does not fit the database
 */
export async function changeRoleByLogin(
  vault: Vault,
  change: { readonly login: string; readonly role: UserRole; readonly grant: boolean },
): Promise<Answer<Changed>> {
  // With other keys nobody would be found, and that would look as if nobody were there.
  await proveKeyring(vault);
  const login = readLogin(change.login);
  if (login === undefined) return refused({ code: 'InvalidIdentity', message: 'this is no login', field: 'login' });
  return inTransaction(vault.pool, async (client) => {
    const found = await findUserByLogin(client, vault, login);
    const user = found === undefined ? undefined : await lockedUser(client, vault, found.id);
    const rest = (user?.roles ?? []).filter((role) => role !== change.role);
    const roles = change.grant ? [...rest, change.role] : rest;
    return (await setRoles(client, vault, user, roles, { actor: 'operator' })).answer;
  });
}

async function lockedUser(client: pg.PoolClient, vault: Vault, userId: string): Promise<User | undefined> {
  await client.query('SELECT pg_advisory_xact_lock($1, $2)', lockKeys);
  return findUser(client, vault, userId, 'FOR UPDATE');
}

async function setRoles(
  client: pg.PoolClient,
  vault: Vault,
  user: User | undefined,
  asked: readonly UserRole[],
  by: { readonly actor: string; readonly sessionId?: string | undefined; readonly from?: From },
): Promise<{ readonly answer: Answer<Changed>; readonly version?: number }> {
  // In one order and each once, so that the journal reads alike.
  const roles = userRoles.filter((role) => asked.includes(role));
  const subject = user && `user:${user.id}`;
  const record = (outcome: 'accepted' | IdentityRefusal['code']): Promise<void> =>
    recordDecision(client, vault, {
      ...by,
      action: 'change-roles',
      outcome,
      subject,
      detail: { before: user?.roles ?? [], after: roles },
    });
  const refuse = async (refusal: IdentityRefusal): Promise<{ answer: Answer<Changed> }> => {
    await record(refusal.code);
    return { answer: refused(refusal) };
  };
  if (user === undefined) return refuse(userNotFound);
  if (user.roles.includes('admin') && !roles.includes('admin') && (await countAdmins(client)) === 1) {
    return refuse(lastAdmin);
  }
  const changed = { userId: user.id, roles };
  if (roles.join() === userRoles.filter((role) => user.roles.includes(role)).join()) {
    await record('accepted');
    return { answer: granted(changed) };
  }
  const { rows } = await client.query<{ roles_version: number }>(
    'UPDATE identity.users SET roles = $2, roles_version = roles_version + 1 WHERE id = $1 RETURNING roles_version',
    [user.id, roles],
  );
  const version = rows[0]?.roles_version ?? 0;
  await announceRoles(client, user.id, version);
  await record('accepted');
  return { answer: granted(changed), version };
}

async function countAdmins(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ admins: string }>(
    "SELECT count(*) AS admins FROM identity.users WHERE 'admin' = ANY (roles)",
  );
  return Number(rows[0]?.admins);
}
