import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { codeOf, from, granted, IdentityStage, verify } from './support.ts';

const stage = new IdentityStage();

// A family of refresh tokens has one live token at most, and a token that is used twice ends it, whatever races.
describe('refresh tokens', () => {
  it('rotate: each is good once, and the next one is good', async () => {
    const { device, signedIn } = await stage.someone();
    let { refreshToken } = signedIn;
    for (let turn = 0; turn < 5; turn += 1) {
      const next = granted(await stage.identity.refresh({ refreshToken, deviceId: device.id }, from()));
      expect(next).toMatchObject({ userId: signedIn.userId, sessionId: signedIn.sessionId, roles: ['customer'] });
      expect(next.refreshToken).not.toBe(refreshToken);
      expect(await verify(stage.identity, next.accessToken, device.id)).toMatchObject({ ok: true });
      ({ refreshToken } = next);
    }
  });

  it('that are no tokens are refused, and end nothing', async () => {
    const { device, signedIn } = await stage.someone();
    for (const refreshToken of ['', 'garbage', signedIn.accessToken, 'A'.repeat(43)]) {
      expect(codeOf(await stage.identity.refresh({ refreshToken, deviceId: device.id }, from()))).toBe(
        'RefreshRefused',
      );
    }
    granted(await stage.identity.refresh({ refreshToken: signedIn.refreshToken, deviceId: device.id }, from()));
  });

  it('are not in the database', async () => {
    const { signedIn } = await stage.someone();
    const rows = await stage.rows<{ row: string }>('SELECT t::text AS row FROM identity.refresh_tokens t');
    const held = Buffer.from(signedIn.refreshToken).toString('hex');
    const raw = Buffer.from(signedIn.refreshToken, 'base64url').toString('hex');
    for (const { row } of rows) {
      for (const text of [signedIn.refreshToken, held, raw]) expect(row).not.toContain(text);
    }
  });

  it('used twice at once let one in at most, and end the session', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { device, signedIn } = await stage.someone();
      const asked = { refreshToken: signedIn.refreshToken, deviceId: device.id };
      const answers = await Promise.all(Array.from({ length: 4 }, () => stage.identity.refresh(asked, from())));
      expect(answers.filter(({ ok }) => ok).length).toBe(1);
      for (const answer of answers) {
        if (!answer.ok) continue;
        const { accessToken, refreshToken } = answer.value;
        expect(await verify(stage.identity, accessToken, device.id)).toMatchObject({ ok: false, reason: 'ended' });
        expect(codeOf(await stage.identity.refresh({ refreshToken, deviceId: device.id }, from()))).toBe(
          'RefreshRefused',
        );
      }
    }
  });

  /**
   * Any interleaving: rounds of refreshes at once, each with a token that was ever given out (the newest, or an old one),
   * in two processes.
   */
  const rounds = fc.array(fc.array(fc.tuple(fc.nat({ max: 20 }), fc.boolean()), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  });

  test.prop([rounds], { numRuns: 40 })('have one live chain at most, and reuse ends it', async (schedule) => {
    const other = await second();
    const { device, signedIn } = await stage.someone();
    const given = [signedIn.refreshToken];
    const uses = new Map<string, number>();
    let reused = false;
    for (const round of schedule) {
      // 0 is the newest: so that chains also grow.
      const asked = round.map(([back, elsewhere]) => ({
        token: given[Math.max(given.length - 1 - (back % given.length), 0)] ?? '',
        identity: elsewhere ? other : stage.identity,
      }));
      for (const { token } of asked) {
        uses.set(token, (uses.get(token) ?? 0) + 1);
        reused ||= (uses.get(token) ?? 0) > 1;
      }
      const answers = await Promise.all(
        asked.map(({ token, identity }) => identity.refresh({ refreshToken: token, deviceId: device.id }, from())),
      );
      const fresh = answers.flatMap((answer) => (answer.ok ? [answer.value.refreshToken] : []));
      expect(fresh.length, 'one new token at most').toBeLessThanOrEqual(1);
      given.push(...fresh);
      expect(new Set(given).size).toBe(given.length);

      const [family] = await stage.rows<{ live: number; ended: string | null }>(
        `SELECT (SELECT count(*)::integer FROM identity.refresh_tokens t
                 WHERE t.session_id = s.id AND t.used_at IS NULL AND s.ended_at IS NULL) AS live,
                s.ended_why AS ended
         FROM identity.sessions s WHERE id = $1`,
        [signedIn.sessionId],
      );
      expect(family).toEqual(reused ? { live: 0, ended: 'reuse' } : { live: 1, ended: null });
    }
    const newest = given.at(-1) ?? '';
    const last = await stage.identity.refresh({ refreshToken: newest, deviceId: device.id }, from());
    expect(codeOf(last)).toBe(reused ? 'RefreshRefused' : 'granted');
  });

  let opened: ReturnType<typeof stage.open> | undefined;
  const second = (): ReturnType<typeof stage.open> => (opened ??= stage.open());
});
