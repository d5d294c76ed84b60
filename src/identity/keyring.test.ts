import { randomBytes } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { KeyringError, newKeyringText, readKeyring } from './keyring.ts';

const key = (): string => randomBytes(32).toString('base64url');
const [first, second] = [`2026-01:${key()}`, `2026-02:${key()}`];
const old = readKeyring(first);
const rotated = readKeyring(`${second},${first}`);

// What is sealed opens with its key, at its place and unchanged, and in no other way.
describe('a keyring', () => {
  test.prop([fc.uint8Array(), fc.string()])('opens what it sealed', (bytes, place) => {
    const sealed = old.seal(Buffer.from(bytes), place);
    expect(old.open(sealed, place)).toEqual(Buffer.from(bytes));
    expect(rotated.open(sealed, place)).toEqual(Buffer.from(bytes));
  });

  it('does not seal one text twice alike, and shows nothing of it', () => {
    const [one, other] = [old.seal('+221771234567', 'here'), old.seal('+221771234567', 'here')];
    expect(one.equals(other)).toBe(false);
    expect(one.includes('77123')).toBe(false);
  });

  it('seals with the newest key, and opens what older ones sealed', () => {
    expect(rotated.keyIdOf(rotated.seal('x', 'here'))).toBe('2026-02');
    expect(rotated.keyIdOf(old.seal('x', 'here'))).toBe('2026-01');
    expect(() => old.open(rotated.seal('x', 'here'), 'here')).toThrow(/sealed with key 2026-02, which is not in/);
  });

  test.prop([fc.nat(), fc.integer({ min: 1, max: 255 })])('does not open what was changed', (at, difference) => {
    const sealed = old.seal('personal', 'here');
    const changed = Buffer.from(sealed);
    const index = at % sealed.length;
    changed[index] = (changed[index] ?? 0) ^ difference;
    expect(() => old.open(changed, 'here')).toThrow(KeyringError);
  });

  it('does not open at another place, nor with another key of the same id', () => {
    const sealed = old.seal('personal', 'users.login/a');
    expect(() => old.open(sealed, 'users.login/b')).toThrow(KeyringError);
    expect(() => readKeyring(`2026-01:${key()}`).open(sealed, 'users.login/a')).toThrow(KeyringError);
    expect(() => old.open(sealed.subarray(0, 20), 'users.login/a')).toThrow(KeyringError);
  });

  it('finds by every key, each with an index of its own', () => {
    const [newest, older] = rotated.blindIndexes('login');
    expect(older).toEqual(old.blindIndexes('login')[0]);
    expect(newest?.index.equals(older?.index ?? Buffer.alloc(0))).toBe(false);
    expect(rotated.blindIndexes('other')[0]?.index.equals(newest?.index ?? Buffer.alloc(0))).toBe(false);
  });

  it('hashes for the journal with another key than it indexes with', () => {
    const { index } = old.blindIndexes('login')[0] ?? { index: Buffer.alloc(0) };
    expect(old.keyedHash('login')).toMatch(/^2026-01:[\w-]{43}$/);
    expect(old.keyedHash('login')).not.toContain(index.toString('base64url'));
  });

  it('is read from text, and says what is wrong without quoting it', () => {
    expect(readKeyring(newKeyringText(new Date('2026-11-23T10:00:00Z'))).keyIds).toEqual(['2026-11-23']);
    const secret = randomBytes(31).toString('base64url');
    for (const text of ['', ',', 'k1', `k1:${secret}`, `:${key()}`, `k 1:${key()}`, `k1:${key()}:x`, `k1:!${secret}`]) {
      expect(() => readKeyring(text), text).toThrow(KeyringError);
      expect(() => readKeyring(text)).not.toThrow(secret);
    }
    expect(() => readKeyring(`k1:${key()},k1:${key()}`)).toThrow(/two keys with the id k1/);
  });
});
