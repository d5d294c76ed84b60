import { describe, expect, it } from 'vitest';
import { createPasswordPolicy } from './policy.ts';

const policy = createPasswordPolicy();
const reasonOf = async (password: string, words: string[] = []): Promise<string | undefined> =>
  (await policy(password, words))?.reason;

// Short, common and breached passwords are refused, with the reason; good ones are not, whatever they are made of.
describe('the password policy', () => {
  it.each([
    ['', 'short'],
    ['Tr0ub4dor', 'short'],
    ['é'.normalize('NFD').repeat(9), 'short'],
    ['1234567890', 'breached'],
    ['QwertyUiop', 'breached'],
    ['aaaaaaaaaaaaaaaa', 'guessable'],
    ['password123456', 'guessable'],
    ['abcdefghijklmnop', 'guessable'],
    ['P@ssw0rd1234', 'guessable'],
    ['2026-11-23', 'guessable'],
    ['x'.repeat(129), 'long'],
  ])('refuses %j', async (password, reason) => {
    expect(await reasonOf(password)).toBe(reason);
  });

  it.each([
    'correct-Pony-71-staple',
    'kx7 gq2 wv9 zt4',
    'плохая кошка ест сыр 9',
    `${'word '.repeat(4)}zebra quartz lamp`,
  ])('takes %j', async (password) => {
    expect(await reasonOf(password)).toBeUndefined();
  });

  it('refuses what is made of the login', async () => {
    const words = ['ada.lovelace@kettering-mills.example', 'ada', 'lovelace', 'kettering', 'mills'];
    for (const password of ['kettering-lovelace', 'Lovelace.Kettering.1', 'ada.lovelace@kettering-mills.example!']) {
      expect(await reasonOf(password, words), password).toBe('guessable');
    }
    expect(await reasonOf('kettering-lovelace')).toBeUndefined();
    expect(await reasonOf('lovelace rides a green tortoise', words)).toBeUndefined();
  });

  it('judges the longest that it takes in a moment', async () => {
    const started = performance.now();
    await policy('aB3$'.repeat(32), []);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
