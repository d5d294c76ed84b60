import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { invariant } from '../../kernel/invariant.ts';
import type { CaseFact, RecordedFact, Resolution } from './case.facts.ts';
import { type CaseSnapshot, evolveCase, newCase } from './case.machine.ts';
import { type CaseTerms, defaultCaseTerms } from './case-terms.ts';
import { type CaseCommand, decideCase } from './decide-case.ts';

const terms: CaseTerms = { ...defaultCaseTerms, fourEyesAbove: { XOF: 300n } };
const opened: CaseFact = {
  type: 'CaseOpened',
  kind: 'missing_internal',
  effectId: 'e1',
  effectKind: 'missing_internal',
  profile: 'bank:SN',
  lineIds: ['l1'],
  expectationIds: [],
  amount: '1000',
  direction: 'in',
  currency: 'XOF',
  dueAt: '2026-11-30T00:00:00.000Z',
};
const at = '2026-11-27T00:00:00.000Z';

function after(snapshot: CaseSnapshot, fact: CaseFact, by: string): CaseSnapshot {
  const next = evolveCase(snapshot, { ...fact, by, at });
  invariant(next !== 'illegal', `no ${fact.type}`);
  return next;
}
const fresh = after(newCase, opened, 'reconciliation');
const assigned = after(fresh, { type: 'CaseAssigned', assignee: 'user:ama' }, 'user:ama');

const correct = (amount: string): Resolution => ({
  kind: 'correct',
  entry: 'CORRECTION_CREDIT',
  amount,
  account: 'ada',
});
const resolve = (resolution: Resolution): CaseCommand => ({ type: 'resolve', resolution, why: 'known' });

describe('a decision about a case', () => {
  it('is for who has the case', () => {
    expect(decideCase(assigned, resolve(correct('10')), 'user:kofi', terms)).toMatchObject({
      refusal: { code: 'NotAssignee', assignee: 'user:ama' },
    });
  });

  it('is proposed above the limit, and begun up to it', () => {
    expect(decideCase(assigned, resolve(correct('300')), 'user:ama', terms)).toMatchObject({
      fact: { type: 'ResolutionBegun', number: 1 },
    });
    expect(decideCase(assigned, resolve(correct('301')), 'user:ama', terms)).toMatchObject({
      fact: { type: 'ResolutionProposed', number: 1 },
    });
  });

  it('wants another person where the currency has no limit', () => {
    expect(decideCase(assigned, resolve(correct('1')), 'user:ama', defaultCaseTerms)).toMatchObject({
      fact: { type: 'ResolutionProposed' },
    });
  });

  it.each<[string, Resolution, string]>([
    ['more than there is', correct('1001'), 'amount'],
    ['nothing', correct('0'), 'amount'],
    ['no number', correct('1e3'), 'amount'],
    ['the wrong way', { kind: 'write_off', entry: 'WRITE_OFF_LOSS', amount: '1' }, 'entry'],
    ['no wallet', { kind: 'correct', entry: 'CORRECTION_CREDIT', amount: '1' }, 'account'],
    ['lines of others', { kind: 'link', lineIds: ['l2'], expectationIds: ['p'] }, 'lineIds'],
    ['no payment', { kind: 'link', lineIds: ['l1'], expectationIds: [] }, 'expectationIds'],
  ])('refuses %s', (_, resolution, field) => {
    expect(decideCase(assigned, resolve(resolution), 'user:ama', terms)).toMatchObject({
      ok: false,
      refusal: { code: 'Invalid', field },
    });
  });

  it('ends by a write-off as written off, after a part was corrected', () => {
    let state = after(assigned, begun(1, correct('200')), 'user:ama');
    state = after(state, { type: 'ResolutionDone', number: 1, paymentIds: ['p'] }, 'reconciliation');
    expect(state.value).toBe('ASSIGNED');
    const rest: Resolution = { kind: 'write_off', entry: 'WRITE_OFF_GAIN', amount: '800' };
    state = after(state, { type: 'ResolutionProposed', number: 2, resolution: rest, why: 'old' }, 'user:ama');
    state = after(state, { ...begun(2, rest), approves: true }, 'user:kofi');
    state = after(state, { type: 'ResolutionDone', number: 2, paymentIds: ['q'] }, 'reconciliation');
    expect(state.value).toBe('WRITTEN_OFF');
  });

  it('is not approved by who proposed it, not even by a fact', () => {
    const proposed = after(
      assigned,
      { type: 'ResolutionProposed', number: 1, resolution: correct('900'), why: 'known' },
      'user:ama',
    );
    const fact = { ...begun(1, correct('900')), approves: true as const, by: 'user:ama', at };
    expect(evolveCase(proposed, fact)).toBe('illegal');
  });
});

function begun(number: number, resolution: Resolution): Extract<CaseFact, { type: 'ResolutionBegun' }> {
  return { type: 'ResolutionBegun', number, resolution, why: 'known' };
}

const people = ['user:ama', 'user:kofi', 'user:esi', 'service:desk'];
const amounts = fc.integer({ min: 1, max: 1_000 }).map(String);
const resolutions = fc.oneof(
  amounts.map(correct),
  amounts.map((amount): Resolution => ({ kind: 'correct', entry: 'LATE_COLLECTION', amount })),
  amounts.map((amount): Resolution => ({ kind: 'write_off', entry: 'WRITE_OFF_GAIN', amount })),
  fc.constant<Resolution>({ kind: 'link', lineIds: ['l1'], expectationIds: ['p1'] }),
  fc.constant<Resolution>({ kind: 'dismiss' }),
  fc.constant<Resolution>({ kind: 'ask', paymentId: 'p1' }),
);
const commands: fc.Arbitrary<CaseCommand> = fc.oneof(
  fc.constantFrom(...people).map((assignee): CaseCommand => ({ type: 'assign', assignee })),
  fc.constant<CaseCommand>({ type: 'escalate', why: 'help' }),
  fc.constant<CaseCommand>({ type: 'comment', commentId: 'c', digest: 'd' }),
  resolutions.map(resolve),
  resolutions.map(resolve),
  fc
    .tuple(fc.constantFrom('approve', 'approve', 'reject'), fc.integer({ min: 1, max: 6 }))
    .map(([type, proposal]): CaseCommand => ({ type: type, proposal, why: 'seen' })),
  fc.constant<CaseCommand>({ type: 'end', cause: 'matched', effectId: 'e2' }),
);
const outcomes = fc.constantFrom('done', 'refused', 'not yet');
const ended = ['RESOLVED', 'WRITTEN_OFF'];

/** Proves what must hold of a case whatever anybody does with it, in any order. */
describe('whatever people do with a case', () => {
  test.prop([fc.array(fc.tuple(commands, fc.constantFrom(...people), outcomes), { maxLength: 40 })], {
    numRuns: 1_000,
  })('nobody approves their own, nothing comes after the end, and no more moves than there was', (steps) => {
    let state = fresh;
    const facts: RecordedFact[] = [];
    const take = (fact: CaseFact, by: string): void => {
      expect(ended).not.toContain(state.value);
      state = after(state, fact, by);
      facts.push({ ...fact, by, at });
    };
    for (const [command, by, outcome] of steps) {
      const verdict = decideCase(state, command, by, terms);
      if (ended.includes(state.value)) expect(verdict.ok).toBe(false);
      if (verdict.ok) take(verdict.fact, command.type === 'end' ? 'reconciliation' : by);
      const { working } = state.context;
      if (working === undefined || outcome === 'not yet') continue;
      const { number } = working;
      if (outcome === 'done') take({ type: 'ResolutionDone', number, paymentIds: [] }, 'reconciliation');
      else take({ type: 'ResolutionRefused', number, code: 'AccountClosed', message: 'closed' }, 'reconciliation');
    }
    let alone = 0n;
    let moved = 0n;
    for (const fact of facts) {
      if (fact.type !== 'ResolutionBegun') continue;
      const { resolution, number } = fact;
      const proposal = facts.find((one) => one.type === 'ResolutionProposed' && one.number === number);
      expect(proposal?.by).not.toBe(fact.by);
      expect(fact.approves).toBe(proposal === undefined ? undefined : true);
      const done = facts.some((one) => one.type === 'ResolutionDone' && one.number === number);
      if (!done || (resolution.kind !== 'correct' && resolution.kind !== 'write_off')) continue;
      const amount = BigInt(resolution.amount);
      if (proposal === undefined) alone += amount;
      if (resolution.entry !== 'LATE_COLLECTION') moved += amount;
    }
    // However it is cut into steps: alone nobody moves more than the limit.
    expect(alone).toBeLessThanOrEqual(300n);
    expect(moved).toBeLessThanOrEqual(1_000n);
    expect(state.context.moved).toBe(moved);
  });
});
