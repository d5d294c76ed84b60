import { describe, expect, it } from 'vitest';
import defaultDocument from './default-rules.json' with { type: 'json' };
import { defaultRules, readRules, RulesError } from './rules.ts';

/** Proves that a file of rules that cannot be right is refused with the place and the mistake. */
describe('readRules', () => {
  const mistakeOf = (document: unknown): string => {
    try {
      readRules(document);
    } catch (error) {
      if (error instanceof RulesError) return error.message;
      throw error;
    }
    return 'read';
  };

  it('takes the rules that are shipped, in their order', () => {
    const { version, fingerprint, rules, termsOf, windowDays } = defaultRules();
    expect(version).toBe('2026-11-27');
    // Who changes the rules that are shipped gives them another version: whoever has matched by these could not start.
    expect(fingerprint).toBe('nwy3s8Lg14eDYLSh1LI3K_muegqSJOx1Vm1mGsK7cRs');
    expect(rules.map(({ kind }) => kind).slice(0, 3)).toEqual(['reversal', 'reference', 'text']);
    expect(termsOf('anybody')).toMatchObject({ daysBefore: 1, daysAfter: 5, basisPoints: 0n });
    expect(windowDays).toBe(5);
  });

  it('tells two files apart by what they say, and not by how it is laid out', () => {
    const { profiles, rules, version } = defaultDocument;
    expect(readRules({ profiles, rules, version }).fingerprint).toBe(defaultRules().fingerprint);
    expect(readRules({ ...defaultDocument, rules: rules.toReversed() }).fingerprint).not.toBe(
      defaultRules().fingerprint,
    );
  });

  it.each([
    ['nothing', undefined, 'the document: must be object'],
    ['no version', { ...defaultDocument, version: undefined }, 'version: is missing'],
    ['another member', { ...defaultDocument, rule: [] }, 'rule: is not known here'],
    ['an unknown kind', withRule({ id: 'x', kind: 'guess' }), /^rules\[0\]\.kind: reversal, reference/],
    ['a member too many', withRule({ id: 'x', kind: 'text', sign: 'debit' }), 'rules[0].sign: is not known here'],
    ['no codes', withRule({ id: 'x', kind: 'known', posting: 'fee', sign: 'debit' }), 'rules[0].codes: is missing'],
    [
      'an id twice',
      { ...defaultDocument, rules: [rule('a', 'text'), rule('a', 'fee')] },
      'rules[1].id: a is there twice',
    ],
    [
      'a kind twice',
      { ...defaultDocument, rules: [rule('a', 'text'), rule('b', 'text')] },
      'rules[1].kind: there is one rule of kind text at most',
    ],
    ['no terms for others', { ...defaultDocument, profiles: {} }, /^profiles\.\*: is missing/],
    ['a float', withAbsolute({ XOF: '1.5' }), /^profiles\.\*\.feeTolerance\.absolute\.XOF: /],
    ['no currency', withAbsolute({ ABC: '1' }), /ABC is no currency of ISO 4217$/],
  ])('refuses %s', (_, document, message) => {
    expect(mistakeOf(document === undefined ? null : JSON.parse(JSON.stringify(document)))).toMatch(message);
  });
});

function rule(id: string, kind: string) {
  return { id, kind };
}

function withRule(one: object) {
  return { ...defaultDocument, rules: [one] };
}

function withAbsolute(absolute: object) {
  const terms = { ...defaultDocument.profiles['*'], feeTolerance: { basisPoints: 0, absolute } };
  return { ...defaultDocument, profiles: { '*': terms } };
}
