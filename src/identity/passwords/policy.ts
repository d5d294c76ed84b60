import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import type { IdentityRefusal, PasswordFault } from '../refusal.ts';

/** NIST SP 800-63B asks for 8 at least; there is no second factor here but the device. */
export const PASSWORD_CHARS_MIN = 10;
/** Enough for any phrase; hashing is the same work for every length, guessing at strength is not. */
export const PASSWORD_CHARS_MAX = 128;
/** zxcvbn's 0 to 4: 3 is "safely unguessable", over 10^8 guesses. */
const SCORE_MIN = 3;
/** So many letters and digits must be left of a password without the words of its login: zxcvbn adds too much for two. */
const OWN_CHARS_MIN = 6;
/** Strength is judged by so many characters: what comes after them can only make it better. */
const JUDGED_CHARS_MAX = 64;

export type PasswordPolicy = (
  password: string,
  words: readonly string[],
) => Promise<Extract<IdentityRefusal, { code: 'PasswordRefused' }> | undefined>;

const messages: Readonly<Record<PasswordFault, string>> = {
  short: `the password needs at least ${PASSWORD_CHARS_MIN} characters`,
  long: `the password may have at most ${PASSWORD_CHARS_MAX} characters`,
  breached: 'the password is in lists of breached passwords, which are tried first: choose another',
  guessable: 'the password is too easily guessed: choose a longer one, or several words that do not belong together',
};

interface Judge {
  readonly breached: ReadonlySet<string>;
  readonly zxcvbn: ZxcvbnFactory;
}

/**
 * The policy: length, a list of the passwords most often seen in breaches, and zxcvbn's estimate of the guesses it takes.
 *
 * The lists take some 10 MB and some 100 ms, so they are loaded when the first password is judged.
 */
export function createPasswordPolicy(): PasswordPolicy {
  let judge: Promise<Judge> | undefined;
  return async (password, words) => {
    const canonical = password.normalize('NFKC');
    const chars = Array.from(canonical).length;
    if (chars < PASSWORD_CHARS_MIN) return fault('short');
    if (chars > PASSWORD_CHARS_MAX) return fault('long');
    judge ??= loadJudge();
    const { breached, zxcvbn } = await judge;
    if (breached.has(canonical.toLowerCase())) return fault('breached');
    if (isMadeOf(canonical, words)) return fault('guessable');
    const { score } = zxcvbn.check(canonical.slice(0, JUDGED_CHARS_MAX), [...words, 'kora']);
    return score < SCORE_MIN ? fault('guessable') : undefined;
  };
}

function fault(reason: PasswordFault): Extract<IdentityRefusal, { code: 'PasswordRefused' }> {
  return { code: 'PasswordRefused', message: messages[reason], reason };
}

/** Whether the words are most of it. The longest go first: `ada.lovelace@…` before `ada`. */
function isMadeOf(password: string, words: readonly string[]): boolean {
  const whole = password.toLowerCase();
  const longestFirst = [...words].sort((one, other) => other.length - one.length);
  const rest = longestFirst.reduce((left, word) => left.replaceAll(word.toLowerCase(), ' '), whole);
  return rest !== whole && rest.replace(/[^\p{L}\p{N}]/gu, '').length < OWN_CHARS_MIN;
}

async function loadJudge(): Promise<Judge> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return {
    breached: new Set(dictionary['passwords-common']),
    zxcvbn: new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs }),
  };
}
