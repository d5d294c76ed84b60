import type * as argon2 from '@node-rs/argon2';
import { parseOptions } from '@node-rs/argon2';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import type { Answer } from '../../src/identity/index.ts';
import { codeOf, credentials, from, goodPassword, granted, IdentityStage, newDevice, newLogin } from './support.ts';

const { verifications } = vi.hoisted(() => ({ verifications: vi.fn<(hash: unknown) => void>() }));
vi.mock('@node-rs/argon2', async (original) => {
  const real = await original<typeof argon2>();
  const verify: typeof real.verify = (hash, ...rest) => {
    verifications(hash);
    return real.verify(hash, ...rest);
  };
  return { ...real, verify };
});

const stage = new IdentityStage();
const device = newDevice();

const guess = (login: string, address?: string, password = 'not-the-Password-9'): Promise<Answer<unknown>> =>
  stage.identity.logIn(credentials(login, device, password), from(address));

const blockedMs = (answer: Answer<unknown>): number =>
  !answer.ok && answer.refusal.code === 'TooManyAttempts' ? answer.refusal.retryAfterMs : 0;

// Guessing becomes slow: per login, per address, in all processes, and for logins that nobody has as for others.
describe('back-off', () => {
  it('gives five attempts, then pauses that double, up to a quarter of an hour', async () => {
    const { login } = await stage.someone();
    for (let count = 0; count < 5; count += 1) expect(codeOf(await guess(login))).toBe('WrongCredentials');
    const pauses: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      const blocked = blockedMs(await guess(login));
      pauses.push(blocked);
      // A second before its end it is still on, also for the right password.
      stage.clock.advance(blocked - 1);
      expect(codeOf(await guess(login, undefined, goodPassword))).toBe('TooManyAttempts');
      stage.clock.advance(1);
      expect(codeOf(await guess(login))).toBe('WrongCredentials');
    }
    expect(pauses.slice(0, 5)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(pauses.slice(-2)).toEqual([900_000, 900_000]);
  });

  it('is over for a login with the right password', async () => {
    const { login } = await stage.someone();
    for (let count = 0; count < 4; count += 1) await guess(login);
    granted(await guess(login, undefined, goodPassword));
    for (let count = 0; count < 5; count += 1) expect(codeOf(await guess(login))).toBe('WrongCredentials');
    expect(codeOf(await guess(login))).toBe('TooManyAttempts');
    stage.clock.advance(25 * 3_600_000);
    expect(codeOf(await guess(login)), 'forgotten after a day').toBe('WrongCredentials');
    expect(codeOf(await guess(login))).toBe('WrongCredentials');
  });

  it('lets five of a hundred guesses at once in, in two processes', async () => {
    const other = await stage.open();
    const { login } = await stage.someone();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 === 0 ? stage.identity : other).logIn(credentials(login, device, `Guess-number-${index}`), from()),
      ),
    );
    expect(answers.filter((answer) => codeOf(answer) === 'WrongCredentials')).toHaveLength(5);
    expect(answers.filter((answer) => codeOf(answer) === 'TooManyAttempts')).toHaveLength(95);
  });

  it('treats logins that nobody has as those that somebody has', async () => {
    const [known, unknown] = [(await stage.someone()).login, newLogin()];
    const answersFor = async (login: string): Promise<Answer<unknown>[]> => {
      const answers: Answer<unknown>[] = [];
      for (let count = 0; count < 8; count += 1) answers.push(await guess(login));
      return answers;
    };
    expect(await answersFor(unknown)).toEqual(await answersFor(known));
  });

  it('stops an address that tries many logins, and nobody else', async () => {
    const [own, { login: victim }] = [await stage.someone(), await stage.someone()];
    const address = '2001:db8:7:7::1';
    for (let count = 0; count < 49; count += 1)
      expect(codeOf(await guess(newLogin(), address))).toBe('WrongCredentials');
    // A good password of the thief's own takes back that one attempt, and no other.
    granted(await guess(own.login, address, goodPassword));
    expect(codeOf(await guess(newLogin(), '2001:db8:7:7:ffff::2'))).toBe('WrongCredentials');
    expect(codeOf(await guess(newLogin(), '2001:db8:7:7:1::3')), 'one /64 is one address').toBe('TooManyAttempts');
    expect(codeOf(await guess(victim, address, goodPassword))).toBe('TooManyAttempts');
    granted(await guess(victim, '2001:db8:7:8::1', goodPassword));
  });

  it('does not count an attempt on one that is blocked, nor against its address', async () => {
    const { login } = await stage.someone();
    const address = '198.51.100.7';
    for (let count = 0; count < 60; count += 1) await guess(login, address);
    granted(await guess((await stage.someone()).login, address, goodPassword));
  });

  it('does not count attempts that were not looked at because too many waited', async () => {
    const slow = await stage.open({ hashCost: { memoryKiB: 16 * 1024, passes: 3 } });
    await stage.rows('TRUNCATE identity.attempts');
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => slow.logIn(credentials(newLogin(), device), from())),
    );
    const count = (code: string): number => answers.filter((answer) => codeOf(answer) === code).length;
    expect(count('IdentityBusy')).toBeGreaterThan(0);
    expect(count('IdentityBusy') + count('WrongCredentials')).toBe(60);
    const counted = await stage.rows("SELECT FROM identity.attempts WHERE subject LIKE 't:%' AND failures > 0");
    expect(counted).toHaveLength(count('WrongCredentials'));
  });

  it('also holds for the present password of who changes it', async () => {
    const { principal } = await stage.someone();
    const codes: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      const request = { current: `Guess-number-${count}`, next: 'another-Horse-82-battery' };
      codes.push(codeOf(await stage.identity.changePassword(principal, request, from())));
    }
    expect(codes).toEqual([...Array.from({ length: 5 }, () => 'WrongCredentials'), 'TooManyAttempts']);
  });

  it('counts sign-ups with logins that are taken against the address', async () => {
    const { login } = await stage.someone();
    const signUp = (): Promise<string> =>
      stage.identity.signUp(credentials(login, device), from('198.51.100.8')).then(codeOf);
    for (let count = 0; count < 50; count += 1) expect(await signUp()).toBe('LoginTaken');
    expect(await signUp()).toBe('TooManyAttempts');
    granted(await guess(login, undefined, goodPassword));
  });
});

// Nobody can tell from what it does, and so from how long it takes, whether there is such a user.
describe('an unknown login', () => {
  it('costs the same statements as a wrong password', async () => {
    const { login } = await stage.someone();
    const statementsOf = async (whose: string): Promise<string[]> => {
      const query = vi.spyOn(pg.Client.prototype, 'query');
      await guess(whose);
      const asked = query.mock.calls as unknown as [string | { readonly text: string }][];
      const texts = asked.map(([first]) => (typeof first === 'string' ? first : first.text));
      query.mockRestore();
      // What runs in the background is nobody's.
      return texts.filter((text) => !/identity\.(revocations|signing_keys)/.test(text));
    };
    const wrong = await statementsOf(login);
    expect(wrong.length).toBeGreaterThan(3);
    expect(await statementsOf(newLogin())).toEqual(wrong);
  });

  it('costs the same work on passwords as a wrong password', async () => {
    const { login } = await stage.someone();
    const work = async (whose: string): Promise<readonly unknown[]> => {
      verifications.mockClear();
      expect(codeOf(await guess(whose))).toBe('WrongCredentials');
      return verifications.mock.calls.map(([hash]) => parseOptions(String(hash)));
    };
    const wrong = await work(login);
    expect(wrong).toHaveLength(1);
    expect(await work(newLogin())).toEqual(wrong);
  });
});
