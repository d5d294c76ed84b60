import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkSignature, parseCheckpoint, renderCheckpoint, signCheckpoint } from './checkpoint.ts';

/** A file proves what was signed, to the bit. */
describe('a signed checkpoint', () => {
  const key = generateKeyPairSync('ed25519');
  const claim = {
    log: 'ab'.repeat(32),
    position: 4_711,
    count: 12,
    hash: '0f'.repeat(32),
    recordedAt: '2026-03-01T10:00:00.123456Z',
    signedAt: '2026-03-01T10:00:01.000Z',
  };
  const signed = signCheckpoint(claim, key);
  const bytes = Buffer.from(renderCheckpoint(signed));

  it('is read as it was written', () => {
    expect(parseCheckpoint(bytes)).toMatchObject(claim);
    expect(checkSignature(parseCheckpoint(bytes), [key.publicKey])).toBe('good');
  });

  it('is refused whichever bit of the file is flipped', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(believed(flipped), `bit ${bit}`).toBe(false);
    }
  });

  it('is of the key that signed it, and of no other that is called in its place', () => {
    const stranger = generateKeyPairSync('ed25519');
    const theirs = signCheckpoint(claim, stranger);
    expect(checkSignature(theirs, [key.publicKey])).toBe('unknown key');
    expect(checkSignature({ ...theirs, key: signed.key }, [key.publicKey])).toBe('bad signature');
    expect(checkSignature(theirs, [key.publicKey, stranger.publicKey])).toBe('good');
  });

  function believed(file: Buffer): boolean {
    try {
      return checkSignature(parseCheckpoint(file), [key.publicKey]) === 'good';
    } catch {
      return false;
    }
  }
});
