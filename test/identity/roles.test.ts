import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { changeRoleByLogin, type IdentityCaller, type UserRole } from '../../src/identity/index.ts';
import { codeOf, from, granted, IdentityStage, type Someone, verify } from './support.ts';

const stage = new IdentityStage();

const byOperator = (login: string, role: UserRole, grant = true): ReturnType<typeof changeRoleByLogin> =>
  changeRoleByLogin(
    { pool: stage.pool, keyring: stage.keyring, tenant: 'kora', now: stage.clock.now },
    { login, role, grant },
  );

/** Whoever was admin before is none any more: a test may count on its own. */
async function onlyAdmin(): Promise<Someone> {
  await stage.rows("UPDATE identity.users SET roles = array_remove(roles, 'admin')");
  const someone = await stage.someone();
  granted(await byOperator(someone.login, 'admin'));
  return refreshed(someone);
}

async function refreshed(someone: Someone): Promise<Someone> {
  const asked = { refreshToken: someone.signedIn.refreshToken, deviceId: someone.device.id };
  const signedIn = granted(await stage.identity.refresh(asked, from()));
  return { ...someone, signedIn, principal: await stage.principalOf(signedIn, someone.device) };
}

// The operator makes the first admin, admins change roles, nobody else does, and a role that was taken is gone at once.
describe('roles', () => {
  it('of the first admin come from the operator', async () => {
    const admin = await onlyAdmin();
    expect(admin.principal.roles).toEqual(['customer', 'admin']);
    expect(codeOf(await byOperator('+19995550000', 'admin'))).toBe('UserNotFound');
    expect(codeOf(await byOperator('nobody', 'admin'))).toBe('InvalidIdentity');
  });

  it('are changed by admins', async () => {
    const [admin, other] = [await onlyAdmin(), await stage.someone()];
    const { userId } = other.signedIn;
    const answer = await stage.identity.changeRoles(
      admin.principal,
      { userId, roles: ['support', 'merchant', 'support'] },
      from(),
    );
    expect(granted(answer)).toEqual({ userId, roles: ['merchant', 'support'] });
    expect((await refreshed(other)).principal.roles).toEqual(['merchant', 'support']);
    const unknown = { userId: 'AAAAAAAAAAAAAAAAAAAAAA', roles: ['support'] as const };
    expect(codeOf(await stage.identity.changeRoles(admin.principal, unknown, from()))).toBe('UserNotFound');
  });

  it('are not changed by anybody else, and the attempt is in the journal', async () => {
    const { principal, signedIn } = await stage.someone();
    const callers: IdentityCaller[] = [
      principal,
      { principal: 'service:shop', roles: ['service'] },
      ...(['merchant', 'support', 'reviewer'] as const).map((role) => ({ ...principal, roles: [role] })),
    ];
    for (const caller of callers) {
      const answer = await stage.identity.changeRoles(caller, { userId: signedIn.userId, roles: ['admin'] }, from());
      expect(codeOf(answer)).toBe('NotPermitted');
    }
    expect(granted(await stage.identity.me(principal)).roles).toEqual(['customer']);
    const rows = await stage.rows("SELECT FROM identity.audit WHERE actor = $1 AND outcome = 'NotPermitted'", [
      principal.principal,
    ]);
    expect(rows).toHaveLength(4);
  });

  it('that changed make older access tokens bad at once, and within seconds in other processes', async () => {
    const other = await stage.open();
    const [admin, demoted] = [await onlyAdmin(), await stage.someone()];
    const { accessToken, userId } = demoted.signedIn;
    expect(await verify(other, accessToken, demoted.device.id)).toMatchObject({ ok: true });
    granted(await stage.identity.changeRoles(admin.principal, { userId, roles: [] }, from()));
    expect(await verify(stage.identity, accessToken, demoted.device.id)).toMatchObject({
      ok: false,
      reason: 'expired',
    });
    const started = Date.now();
    while ((await verify(other, accessToken, demoted.device.id)).ok) {
      expect(Date.now() - started).toBeLessThan(3_000);
      await sleep(10);
    }
    const again = await refreshed(demoted);
    expect(again.principal.roles).toEqual([]);
    expect(await verify(other, again.signedIn.accessToken, demoted.device.id)).toMatchObject({ ok: true });
  });

  it('that are the same change nothing', async () => {
    const [admin, other] = [await onlyAdmin(), await stage.someone()];
    const { userId, accessToken } = other.signedIn;
    granted(await stage.identity.changeRoles(admin.principal, { userId, roles: ['customer'] }, from()));
    expect(await verify(stage.identity, accessToken, other.device.id)).toMatchObject({ ok: true });
  });

  it('leave one admin, also when two take each other’s role at once', async () => {
    const admin = await onlyAdmin();
    const alone = { userId: admin.signedIn.userId, roles: ['customer'] as const };
    expect(codeOf(await stage.identity.changeRoles(admin.principal, alone, from()))).toBe('LastAdmin');
    expect(codeOf(await byOperator(admin.login, 'admin', false))).toBe('LastAdmin');

    const second = await stage.someone();
    granted(await byOperator(second.login, 'admin'));
    const both = [admin, await refreshed(second)] as const;
    const answers = await Promise.all([
      stage.identity.changeRoles(both[0].principal, { userId: both[1].signedIn.userId, roles: [] }, from()),
      stage.identity.changeRoles(both[1].principal, { userId: both[0].signedIn.userId, roles: [] }, from()),
    ]);
    expect(answers.map(codeOf).sort()).toEqual(['LastAdmin', 'granted']);
  });

  it('never include service', async () => {
    const { signedIn } = await stage.someone();
    await expect(
      stage.rows("UPDATE identity.users SET roles = ARRAY['service'] WHERE id = $1", [signedIn.userId]),
    ).rejects.toThrow(/check/);
  });
});
