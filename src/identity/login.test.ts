import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { readLogin, wordsOf } from './login.ts';

// Every way of writing a login is one login, and what is none is not taken for one.
describe('logins', () => {
  it.each([
    ['+221771234567', '+221771234567'],
    ['+221 77 123 45 67', '+221771234567'],
    ['00221 77-123-45-67', '+221771234567'],
    [' +44 (0)20 7946 0958 ', '+442079460958'],
    ['+1 (415) 555.2671', '+14155552671'],
    ['＋２２１７７１２３４５６７', '+221771234567'],
  ])('takes the number %s', (text, value) => {
    expect(readLogin(text)).toEqual({ kind: 'phone', value });
  });

  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['  ada.lovelace+kora@mail.example.com ', 'ada.lovelace+kora@mail.example.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['Élise@example.com', 'élise@example.com'],
  ])('takes the address %s', (text, value) => {
    expect(readLogin(text)).toEqual({ kind: 'email', value });
  });

  it.each([
    '',
    '771234567',
    '0771234567',
    '+0771234567',
    '+1234567',
    '+1234567890123456',
    '+22177123a567',
    '22+1771234567',
    'ada',
    '@example.com',
    'ada@',
    'ada@localhost',
    'ada@@example.com',
    'a da@example.com',
    '.ada@example.com',
    'ada@-example.com',
    'ada@example.1',
    'ada@example.com\nx',
    `${'a'.repeat(65)}@example.com`,
    '+221771234567 '.repeat(40),
  ])('does not take %j', (text) => {
    expect(readLogin(text)).toBeUndefined();
  });

  test.prop([fc.stringMatching(/^\+[1-9][0-9]{7,14}$/), fc.array(fc.constantFrom(' ', '-', '.', '(', ')'))])(
    'reads a number alike whatever stands between its digits',
    (number, noise) => {
      const spread = Array.from(number, (digit, index) => digit + (index === 0 ? '' : (noise[index] ?? ''))).join('');
      // A lone zero in brackets is a trunk zero, and no part of the number.
      fc.pre(!spread.includes('(0)'));
      expect(readLogin(spread)).toEqual({ kind: 'phone', value: number });
    },
  );

  test.prop([fc.string({ unit: 'binary' })])('reads what it gave again as the same', (text) => {
    const login = readLogin(text);
    if (login !== undefined) expect(readLogin(login.value)).toEqual(login);
  });

  it('names the words that a password must not be made of', () => {
    expect(wordsOf({ kind: 'email', value: 'ada.lovelace@mail.example' })).toEqual(
      expect.arrayContaining(['ada', 'lovelace', 'mail', 'ada.lovelace@mail.example']),
    );
    expect(wordsOf({ kind: 'phone', value: '+221771234567' })).toContain('221771234567');
  });
});
