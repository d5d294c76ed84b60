import type { Expectation, ExternalLine } from './sides.ts';
import { weakKeyOf, weakKeyOfLine } from './weak.ts';

/**
 * A number by which something is looked up, 53 bits of hash: small in an index. Two texts may share one: what is found is
 * looked at again, so a clash costs a look and decides nothing.
 */
export type Key = number;

function keyOf(...texts: readonly string[]): Key {
  // Two lanes of multiply and xor over the code units, mixed at the end: even spread is all that is asked of it.
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const text of texts) {
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(b ^ unit, 0x5f356495);
    }
    a = Math.imul(a ^ 0x1_0000, 0x9e3779b1);
    b = Math.imul(b ^ 0x1_0000, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (b & 0x1f_ffff) * 0x1_0000_0000 + (a >>> 0);
}

const distinct = (keys: readonly Key[]): Key[] => [...new Set(keys)];

const reference = (profile: string, token: string): Key => keyOf('t', profile, token);
const group = (profile: string, token: string): Key => keyOf('g', profile, token);
const reversal = ({ profile, account, currency }: ExternalLine, amount: bigint, token: string): Key =>
  keyOf('r', profile, account, currency, amount.toString(), token);

/** Under which a line is found: by who has the reference, or, a reversal, by the line that it takes back. */
export function keysOfLine(line: ExternalLine): Key[] {
  if (line.reversal) return distinct(line.tokens.map((token) => reversal(line, -line.amount, token)));
  return referencesOfLine(line);
}

/** Under which an expectation is found: by its references, and by what it is booked together with. */
export function keysOfExpectation({ profile, tokens, groupTokens }: Expectation): Key[] {
  return distinct([
    ...tokens.map((token) => reference(profile, token)),
    ...groupTokens.map((token) => group(profile, token)),
  ]);
}

/** What a line looks for: expectations with these references. */
export function referencesOfLine({ profile, tokens, textTokens, parts }: ExternalLine): Key[] {
  const all = [...tokens, ...textTokens, ...(parts?.flatMap((part) => part.tokens) ?? [])];
  return distinct(all.map((token) => reference(profile, token)));
}

export function groupsOfLine({ profile, tokens, textTokens }: ExternalLine): Key[] {
  return distinct([...tokens, ...textTokens].map((token) => group(profile, token)));
}

/** What a line looks for among lines: what takes it back; a reversal: what it takes back, among others with the reference. */
export function reversalsOfLine(line: ExternalLine): Key[] {
  if (line.reversal) return distinct(line.tokens.map((token) => reference(line.profile, token)));
  return distinct(line.tokens.map((token) => reversal(line, line.amount, token)));
}

/** What an expectation looks for: lines with its references. */
export function referencesOf({ profile, tokens }: Expectation): Key[] {
  return distinct(tokens.map((token) => reference(profile, token)));
}

export function groupReferencesOf({ profile, groupTokens }: Expectation): Key[] {
  return distinct(groupTokens.map((token) => reference(profile, token)));
}

export function weakNumberOfLine(line: ExternalLine): Key | undefined {
  const key = weakKeyOfLine(line);
  return key === undefined ? undefined : keyOf('w', key);
}

export function weakNumberOf(one: Expectation): Key | undefined {
  const key = weakKeyOf(one);
  return key === undefined ? undefined : keyOf('w', key);
}
