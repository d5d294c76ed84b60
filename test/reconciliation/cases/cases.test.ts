import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../../eventstore/index.ts';
import { migrate } from '../../../src/platform/postgres/migrate.ts';
import { CoreUnreachableError, type Booking, type CoreAnswer } from '../../../src/reconciliation/effects/core.ts';
import { caseIdOf } from '../../../src/reconciliation/cases/case-log.ts';
import { defaultCaseTerms } from '../../../src/reconciliation/cases/case-terms.ts';
import { casesCsv } from '../../../src/reconciliation/cases/csv.ts';
import { type CaseAnswer, type Cases, createCases } from '../../../src/reconciliation/cases/cases.ts';
import type { CaseCore } from '../../../src/reconciliation/cases/ports.ts';
import type { Resolution } from '../../../src/reconciliation/cases/case.facts.ts';
import { postgresDecisions } from '../../../src/reconciliation/postgres/decisions.ts';
import {
  PostgresMatchingStore,
  reconciliationMigrations,
} from '../../../src/reconciliation/postgres/matching-store.ts';
import type { Effect } from '../../../src/reconciliation/matching/index.ts';
import { postgresEffects } from '../../../src/reconciliation/postgres/effect-store.ts';
import { createEmptyDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let pool: pg.Pool;
let log: MemoryLog;
let cases: Cases;
let core: FakeCore;
let today = new Date('2026-11-27T08:00:00Z');

/** Does each key once, as the core does, and can be out of reach. */
class FakeCore implements CaseCore {
  readonly booked = new Map<string, Booking>();
  readonly asked: string[] = [];
  reachable = true;
  refusal: { readonly code: string; readonly message: string } | undefined;
  /** What it refuses; all of it, if it is not said. */
  refusedKind: string | undefined;
  /** What of a wallet it never answers. */
  silentAbout: string | undefined;
  /** Dies after the core has done it: the answer is lost. */
  losesAnswer = false;

  book(booking: Booking): Promise<CoreAnswer> {
    if (!this.reachable) return Promise.reject(new CoreUnreachableError('gone'));
    if (this.silentAbout !== undefined && booking.payee === this.silentAbout)
      return Promise.reject(new CoreUnreachableError('not let in'));
    if (this.refusal && (this.refusedKind ?? booking.kind) === booking.kind)
      return Promise.resolve({ outcome: 'refused', ...this.refusal });
    this.booked.set(booking.key, booking);
    if (this.losesAnswer) return Promise.reject(new CoreUnreachableError('lost'));
    return Promise.resolve({ outcome: 'done', paymentId: `payment-of-${booking.key}` });
  }
  ask(paymentId: string): ReturnType<CaseCore['ask']> {
    this.asked.push(paymentId);
    return Promise.resolve({ outcome: 'done', said: 'pending' });
  }
}

const asker = (principal: string) => ({ principal, correlationId: 'test' });
const [ama, kofi] = [asker('user:ama'), asker('user:kofi')];

beforeAll(async () => {
  database = await createEmptyDatabase();
  pool = new pg.Pool(database.poolConfig);
  const client = await pool.connect();
  await migrate(client, [reconciliationMigrations]);
  client.release();
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await pool.query(`truncate reconciliation.lines, reconciliation.line_states, reconciliation.expectations,
    reconciliation.expectation_states,
    reconciliation.effects, reconciliation.carried_out, reconciliation.line_bookings,
    reconciliation.cases, reconciliation.case_comments, reconciliation.decisions`);
  await pool.query('update reconciliation.looked_at set up_to = 0');
  await pool.query('update reconciliation.cases_to set effect = 0, position = 0');
  await pool.query('update reconciliation.carried_out_to set sequence = 0');
  log = new MemoryLog();
  core = new FakeCore();
  today = new Date('2026-11-27T08:00:00Z');
  cases = open();
});

function open(): Cases {
  return createCases({
    pool,
    log,
    core,
    decisions: postgresDecisions(pool),
    terms: { ...defaultCaseTerms, fourEyesAbove: { XOF: 500n } },
    now: () => today,
  });
}

interface Told {
  readonly id: string;
  readonly kind: string;
  readonly lines?: readonly string[];
  readonly payments?: readonly string[];
  readonly refused?: string;
}

/** What matching found, carried out as far as the core goes. */
async function told(...effects: readonly Told[]): Promise<void> {
  for (const { id, kind, lines = [], payments = [], refused } of effects) {
    const { rows } = await pool.query<{ sequence: string }>(
      `insert into reconciliation.effects (sequence, id, kind, profile, line_ids, expectation_ids, detail, run_id)
       select coalesce(max(sequence), 0) + 1, $1, $2, 'bank:SN', $3, $4, '{"currency":"XOF","reason":"unknown","was":"OPEN"}', 'r'
       from reconciliation.effects returning sequence`,
      [id, kind, lines, payments],
    );
    const answer = refused === undefined ? [] : [{ outcome: 'refused', code: refused, message: 'no' }];
    await pool.query('insert into reconciliation.carried_out (effect_id, outcome, answer) values ($1, $2, $3)', [
      id,
      refused === undefined ? 'done' : 'refused',
      JSON.stringify(answer),
    ]);
    await pool.query('update reconciliation.carried_out_to set sequence = $1', [rows[0]?.sequence]);
  }
}

async function line(id: string, amount: bigint, bookedAs = 'suspense'): Promise<void> {
  await new PostgresMatchingStore(pool).put({
    lines: [
      {
        ...{ id, profile: 'bank:SN', account: 'a', amount, currency: 'XOF', valueDate: '2026-11-27' },
        ...{ tokens: [], textTokens: [], reversal: false, held: false },
      },
    ],
  });
  await pool.query('insert into reconciliation.line_bookings (line_id, booked_as, bookings) values ($1, $2, 1)', [
    id,
    bookedAs,
  ]);
}

async function payment(id: string, amount: bigint): Promise<void> {
  await new PostgresMatchingStore(pool).put({
    expectations: [
      {
        ...{ id, profile: 'bank:SN', direction: 'out', amount, currency: 'XOF', tokens: [], groupTokens: [] },
        ...{ date: '2026-11-26', position: 1 },
      },
    ],
  });
}

function value<Value>(answer: CaseAnswer<Value>): Value {
  if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`);
  return answer.value;
}
const codeOf = (answer: CaseAnswer<unknown>): string => (answer.ok ? 'ok' : answer.refusal.code);
const bookedAs = async (id: string): Promise<unknown> =>
  (
    await pool.query<{ booked_as: string }>('select booked_as from reconciliation.line_bookings where line_id = $1', [
      id,
    ])
  ).rows[0]?.booked_as;

/** An unidentified credit in suspense, with a case that Ama has. */
async function amasCase(amount = 1_000n): Promise<string> {
  await line('l1', amount);
  await told({ id: 'e1', kind: 'missing_internal', lines: ['l1'] });
  await cases.goOn();
  const caseId = caseIdOf('e1');
  value(await cases.assign(caseId, 'user:ama', ama));
  return caseId;
}
const credit = (amount: string): Resolution => ({
  kind: 'correct',
  entry: 'CORRECTION_CREDIT',
  amount,
  account: 'ada',
});

/** Proves that whatever did not match comes to people once, and that what they decide is done once, by two of them where it must. */
describe('a case', () => {
  it('is opened once for an effect, however often it is looked at', async () => {
    await line('l1', 1_000n);
    await payment('p1', 700n);
    await told(
      { id: 'e1', kind: 'missing_internal', lines: ['l1'] },
      { id: 'e2', kind: 'missing_provider', payments: ['p1'] },
      { id: 'e3', kind: 'known', lines: ['l9'] },
      { id: 'e4', kind: 'settle', lines: ['l8'], payments: ['p8'], refused: 'IllegalTransition' },
    );
    await Promise.all([cases.goOn(), open().goOn()]);
    await pool.query('update reconciliation.cases_to set effect = 0');
    await open().goOn();
    const { items } = await cases.list({}, { limit: 50 });
    expect(items.map(({ kind, amount, direction, reason }) => [kind, amount, direction, reason]).sort()).toEqual([
      ['missing_internal', '1000', 'in', 'unknown'],
      ['missing_provider', '700', 'out', 'unknown'],
      ['refused', '0', 'in', 'IllegalTransition'],
    ]);
    expect(new Set(items.map(({ dueAt }) => dueAt.slice(0, 10)))).toEqual(
      new Set(['2026-11-28', '2026-11-29', '2026-11-30']),
    );
  });

  it('ends by itself when its line is matched after all, and another one with it stays', async () => {
    await line('l1', 1_000n);
    await line('l2', 1_000n);
    await told(
      { id: 'e1', kind: 'missing_internal', lines: ['l1'] },
      { id: 'e2', kind: 'missing_internal', lines: ['l2'] },
    );
    await cases.goOn();
    await told({ id: 'e3', kind: 'settle', lines: ['l1'], payments: ['p1'] });
    await cases.goOn();
    expect(value(await cases.get(caseIdOf('e1')))).toMatchObject({ state: 'RESOLVED', cause: 'matched' });
    expect(value(await cases.get(caseIdOf('e2')))).toMatchObject({ state: 'OPEN' });
  });

  it('is overdue from its due date on, until it has ended', async () => {
    const caseId = await amasCase(500n);
    const overdue = async (): Promise<unknown[]> => {
      const csv = await casesCsv(cases.all({}));
      const listed = (await cases.list({}, { limit: 9 })).items.map((one) => one.overdue);
      return [...listed, value(await cases.get(caseId)).overdue, csv.includes('Z,yes,user:ama')];
    };
    expect(await overdue()).toEqual([false, false, false]);
    today = new Date('2026-11-30T08:00:00Z');
    expect(await overdue()).toEqual([false, false, false]);
    today = new Date('2026-11-30T08:00:00.001Z');
    expect(await overdue()).toEqual([true, true, true]);
    value(await cases.resolve(caseId, credit('500'), 'hers', ama));
    expect(await overdue()).toEqual([false, false, false]);
  });

  it('does not end by itself where the core refused to settle', async () => {
    await line('l1', 1_000n);
    await told({ id: 'e1', kind: 'missing_internal', lines: ['l1'] });
    await told({ id: 'e3', kind: 'settle', lines: ['l1'], payments: ['p1'], refused: 'BookedOtherwise' });
    await cases.goOn();
    expect((await cases.list({ open: true }, { limit: 9 })).items.map(({ kind }) => kind).sort()).toEqual([
      'missing_internal',
      'refused',
    ]);
  });

  it('moves what is under the limit at once, and is resolved', async () => {
    const caseId = await amasCase(500n);
    const view = value(await cases.resolve(caseId, credit('500'), 'her transfer', ama));
    expect(view).toMatchObject({ state: 'RESOLVED', cause: 'correct', moved: '500' });
    expect([...core.booked.values()]).toEqual([
      { key: `case:${caseId}:1:1`, kind: 'CORRECTION_CREDIT', amount: 500n, currency: 'XOF', payee: 'ada' },
    ]);
    expect(await bookedAs('l1')).toBe('person');
  });

  it('wants another person above the limit, and not the same one', async () => {
    const caseId = await amasCase();
    const proposed = value(await cases.resolve(caseId, credit('1000'), 'her transfer', ama));
    expect(proposed).toMatchObject({ state: 'ASSIGNED', proposal: { number: 1, by: 'user:ama' } });
    expect(core.booked.size).toBe(0);
    expect(codeOf(await cases.approve(caseId, 1, 'fine', ama))).toBe('SelfApproval');
    expect(codeOf(await cases.approve(caseId, 2, 'fine', kofi))).toBe('ProposalChanged');
    expect(value(await cases.approve(caseId, 1, 'fine', kofi))).toMatchObject({ state: 'RESOLVED' });
    const { history } = value(await cases.get(caseId));
    expect(history.map(({ what, by, why }) => [what, by, why])).toEqual([
      ['CaseOpened', 'reconciliation', undefined],
      ['CaseAssigned', 'user:ama', undefined],
      ['ResolutionProposed', 'user:ama', 'her transfer'],
      ['ResolutionBegun', 'user:kofi', 'fine'],
      ['ResolutionDone', 'reconciliation', undefined],
    ]);
  });

  it('is not moved in small steps around the limit', async () => {
    const caseId = await amasCase();
    expect(value(await cases.resolve(caseId, credit('400'), 'a part', ama))).toMatchObject({
      moved: '400',
      state: 'ASSIGNED',
    });
    expect(value(await cases.resolve(caseId, credit('400'), 'a part', ama))).toMatchObject({ proposal: { number: 2 } });
  });

  it('goes on with what was begun, with the same key, when the core is there again', async () => {
    const caseId = await amasCase(500n);
    core.losesAnswer = true;
    const view = value(await cases.resolve(caseId, credit('500'), 'her transfer', ama));
    expect(view).toMatchObject({ state: 'ASSIGNED', working: { number: 1 } });
    expect(codeOf(await cases.resolve(caseId, credit('500'), 'again', ama))).toBe('CaseAtWork');
    expect(codeOf(await cases.assign(caseId, 'user:kofi', kofi))).toBe('CaseAtWork');
    core.losesAnswer = false;
    // Another process, which knows only what was written.
    await open().goOn();
    expect(value(await cases.get(caseId))).toMatchObject({ state: 'RESOLVED', moved: '500' });
    expect(core.booked.size).toBe(1);
  });

  it('is where it was when the core refuses, and matching has its line again', async () => {
    const caseId = await amasCase(500n);
    core.refusal = { code: 'AccountClosed', message: 'the account is closed' };
    expect(value(await cases.resolve(caseId, credit('500'), 'her transfer', ama))).toMatchObject({
      state: 'ASSIGNED',
      moved: '0',
    });
    expect(await bookedAs('l1')).toBe('suspense');
    expect(value(await cases.get(caseId)).history.at(-1)).toMatchObject({
      what: 'ResolutionRefused',
      code: 'AccountClosed',
    });
  });

  it('moves nothing that is just leaving suspense with a payment, and the other way round', async () => {
    const caseId = await amasCase(500n);
    const effects = postgresEffects(pool);
    const settle: Effect = {
      ...{ id: 'e9', kind: 'settle' as const, profile: 'bank:SN', lineIds: ['l1'], expectationIds: ['p1'] },
      detail: { was: 'MISSING_INTERNAL', currency: 'XOF' },
    };
    expect(await effects.leave(settle, ['l1'])).toBe(true);
    value(await cases.resolve(caseId, credit('500'), 'her transfer', ama));
    expect(value(await cases.get(caseId)).history.at(-1)).toMatchObject({ code: 'NotInSuspense' });
    expect(core.booked.size).toBe(0);
    // The core refused the payment: the money is still there, and is anybody's again.
    await effects.done(settle, { outcome: 'refused', answers: [] }, []);
    core.losesAnswer = true;
    value(await cases.resolve(caseId, credit('500'), 'her transfer', ama));
    expect(await effects.leave(settle, ['l1'])).toBe(false);
    core.losesAnswer = false;
    await cases.goOn();
    expect(value(await cases.get(caseId))).toMatchObject({ state: 'RESOLVED' });
    expect(await effects.leave(settle, ['l1'])).toBe(false);
  });

  it('moves nothing that is not in suspense', async () => {
    const caseId = await amasCase(500n);
    await pool.query(`update reconciliation.line_bookings set booked_as = 'payment'`);
    value(await cases.resolve(caseId, credit('500'), 'her transfer', ama));
    expect(core.booked.size).toBe(0);
    expect(value(await cases.get(caseId)).history.at(-1)).toMatchObject({ code: 'NotInSuspense' });
  });

  it('of a late collection takes the money of the line out of suspense, and goes on', async () => {
    const caseId = await amasCase(500n);
    const late: Resolution = { kind: 'correct', entry: 'LATE_COLLECTION', amount: '500' };
    expect(value(await cases.resolve(caseId, late, 'late', ama))).toMatchObject({ state: 'ASSIGNED', moved: '0' });
    expect([...core.booked.values()].map(({ kind, provider }) => [kind, provider])).toEqual([
      ['LATE_COLLECTION', 'bank:SN'],
      ['UNIDENTIFIED_DEBIT', 'bank:SN'],
    ]);
  });

  it('of a late collection that is refused half-way is for somebody above, and goes on with its rest', async () => {
    const caseId = await amasCase(500n);
    const late = (amount: string): Resolution => ({ kind: 'correct', entry: 'LATE_COLLECTION', amount });
    core.refusal = { code: 'UnknownProvider', message: 'no such provider' };
    core.refusedKind = 'UNIDENTIFIED_DEBIT';
    const halted = value(await cases.resolve(caseId, late('500'), 'late', ama));
    const first = `payment-of-case:${caseId}:1:1`;
    expect(halted).toMatchObject({
      state: 'ESCALATED',
      moved: '0',
      unfinished: { number: 1, code: 'UnknownProvider', paymentIds: [first] },
    });
    expect(halted).not.toHaveProperty('working');
    expect(value(await cases.get(caseId)).history.at(-1)).toMatchObject({
      ...{ what: 'ResolutionRefused', code: 'UnknownProvider', paymentIds: [first] },
      why: 'UNIDENTIFIED_DEBIT was refused, and what comes before it is booked: no such provider',
    });
    // Nobody takes it for done, nor moves on over it, and the line is not matching's again.
    await told({ id: 'e2', kind: 'settle', lines: ['l1'], payments: ['p1'] });
    await cases.goOn();
    expect(await bookedAs('l1')).toBe('person');
    value(await cases.assign(caseId, 'user:ama', ama));
    for (const other of [credit('500'), late('499'), { kind: 'dismiss' } as const])
      expect(await cases.resolve(caseId, other, 'done?', ama)).toMatchObject({
        refusal: { code: 'Invalid', field: 'kind' },
      });
    // Refused once more, and then it is right. It was approved with its first half.
    expect(value(await cases.resolve(caseId, late('500'), 'again', ama))).toMatchObject({
      ...{ state: 'ESCALATED', unfinished: { number: 2, paymentIds: [first] } },
    });
    core.refusal = undefined;
    value(await cases.assign(caseId, 'user:ama', ama));
    const finished = value(await open().resolve(caseId, late('500'), 'the provider is there again', ama));
    expect(finished).toMatchObject({ state: 'ASSIGNED', moved: '0' });
    expect(finished).not.toHaveProperty('unfinished');
    expect([...core.booked.values()].map(({ key, kind, amount }) => [key, kind, amount])).toEqual([
      [`case:${caseId}:1:1`, 'LATE_COLLECTION', 500n],
      [`case:${caseId}:3:2`, 'UNIDENTIFIED_DEBIT', 500n],
    ]);
    // What follows counts together with it.
    expect(value(await cases.resolve(caseId, credit('500'), 'hers', ama))).toMatchObject({ proposal: { number: 4 } });
  });

  it('that cannot go on holds up no other, and has its turn again', async () => {
    const wallets = ['silent', ...Array.from({ length: 8 }, (_, n) => `wallet${n}`)];
    for (const [n] of wallets.entries()) {
      await line(`l${n}`, 100n);
      await told({ id: `e${n}`, kind: 'missing_internal', lines: [`l${n}`] });
    }
    await cases.goOn();
    core.reachable = false;
    for (const [n, account] of wallets.entries()) {
      value(await cases.assign(caseIdOf(`e${n}`), 'user:ama', ama));
      const entry: Resolution = { kind: 'correct', entry: 'CORRECTION_CREDIT', amount: '100', account };
      expect(value(await cases.resolve(caseIdOf(`e${n}`), entry, 'hers', ama))).toHaveProperty('working');
    }
    core.reachable = true;
    core.silentAbout = 'silent';
    const stuck: string[] = [];
    const onStuck = (_: unknown, caseId: string): number => stuck.push(caseId);
    expect(await cases.goOn(onStuck)).toBe(true);
    expect([...core.booked.values()].map(({ payee }) => payee).sort()).toEqual(wallets.slice(1));
    // It waits, so that it is not asked for without a pause; a later finding is looked at meanwhile.
    await told({ id: 'e20', kind: 'missing_internal', lines: ['l20'] });
    expect(await cases.goOn(onStuck)).toBe(true);
    expect((await cases.list({ open: true }, { limit: 9 })).items.map(({ caseId }) => caseId).sort()).toEqual(
      [caseIdOf('e0'), caseIdOf('e20')].sort(),
    );
    expect(await cases.goOn(onStuck)).toBe(false);
    expect(stuck).toEqual([caseIdOf('e0')]);
    today = new Date(today.getTime() + 1_000);
    core.silentAbout = undefined;
    expect(await cases.goOn(onStuck)).toBe(true);
    expect(value(await cases.get(caseIdOf('e0')))).toMatchObject({ state: 'RESOLVED', moved: '100' });
  });

  it('links by a decision that matching reads, and only what is there', async () => {
    const caseId = await amasCase();
    await payment('p1', 1_000n);
    const link = (expectationIds: string[]): Resolution => ({ kind: 'link', lineIds: ['l1'], expectationIds });
    value(await cases.resolve(caseId, link(['nobody']), 'theirs', ama));
    expect(value(await cases.get(caseId)).history.at(-1)).toMatchObject({ code: 'NotFound' });
    expect(value(await cases.resolve(caseId, link(['p1']), 'theirs', ama))).toMatchObject({
      state: 'RESOLVED',
      cause: 'link',
    });
    const { rows } = await pool.query(
      'select id, kind, line_ids, expectation_ids, decided_by from reconciliation.decisions',
    );
    expect(rows).toEqual([
      { id: `case:${caseId}:2`, kind: 'link', line_ids: ['l1'], expectation_ids: ['p1'], decided_by: 'user:ama' },
    ]);
  });

  it('asks the provider again, and stays open', async () => {
    await payment('p1', 700n);
    await told({ id: 'e2', kind: 'missing_provider', payments: ['p1'] });
    await cases.goOn();
    value(await cases.assign(caseIdOf('e2'), 'user:ama', ama));
    expect(
      value(await cases.resolve(caseIdOf('e2'), { kind: 'ask', paymentId: 'p1' }, 'where is it', ama)),
    ).toMatchObject({
      state: 'ASSIGNED',
    });
    expect(core.asked).toEqual(['p1']);
    expect(value(await cases.get(caseIdOf('e2'))).history.at(-1)).toMatchObject({ said: 'pending' });
  });

  it('shows a comment as it was written, and none that was changed since', async () => {
    const caseId = await amasCase();
    value(await cases.comment(caseId, 'the bank says tomorrow', kofi));
    value(await cases.comment(caseId, 'to be forgotten', kofi));
    expect(codeOf(await cases.comment(caseId, 'x'.repeat(1_001), kofi))).toBe('Invalid');
    const texts = async (): Promise<unknown[]> =>
      value(await cases.get(caseId))
        .history.filter(({ what }) => what === 'CaseCommented')
        .map(({ text }) => text);
    expect(await texts()).toEqual(['the bank says tomorrow', 'to be forgotten']);
    await pool.query(`update reconciliation.case_comments set text = 'something else' where text = 'to be forgotten'`);
    expect(await texts()).toEqual(['the bank says tomorrow', undefined]);
    for await (const { rows } of log.readAll(0)) expect(JSON.stringify(rows)).not.toContain('tomorrow');
  });
});

describe('two reviewers at once', () => {
  it('assign, assign: both are written, the later one has it', async () => {
    const caseId = await amasCase();
    const answers = await Promise.all([
      cases.assign(caseId, 'user:ama', ama),
      open().assign(caseId, 'user:kofi', kofi),
    ]);
    expect(answers.map(codeOf)).toEqual(['ok', 'ok']);
    const { history, assignee } = value(await cases.get(caseId));
    expect(history.filter(({ what }) => what === 'CaseAssigned')).toHaveLength(3);
    expect(history.at(-1)?.assignee).toBe(assignee);
  });

  it('approve, approve: it is done once', async () => {
    const caseId = await amasCase();
    value(await cases.resolve(caseId, credit('1000'), 'hers', ama));
    const answers = await Promise.all(
      ['user:kofi', 'user:esi', 'user:yaw'].map((who) => open().approve(caseId, 1, 'fine', asker(who))),
    );
    expect(answers.map(codeOf).filter((code) => code === 'ok')).toHaveLength(1);
    expect(core.booked.size).toBe(1);
  });

  it('approve, replace: what is approved is what was seen', async () => {
    const caseId = await amasCase();
    value(await cases.resolve(caseId, credit('1000'), 'hers', ama));
    const [approved, replaced] = await Promise.all([
      cases.approve(caseId, 1, 'fine', kofi),
      open().resolve(caseId, credit('999'), 'hers', ama),
    ]);
    expect([codeOf(approved), codeOf(replaced)].filter((code) => code === 'ok')).toHaveLength(1);
    expect([...core.booked.values()].map(({ amount }) => amount)).toEqual(approved.ok ? [1_000n] : []);
  });

  it('resolve, match: money is moved by one of them', async () => {
    const caseId = await amasCase(500n);
    await told({ id: 'e9', kind: 'settle', lines: ['l1'], payments: ['p1'] });
    await Promise.all([cases.resolve(caseId, credit('500'), 'hers', ama), open().goOn()]);
    const view = value(await cases.get(caseId));
    expect(view.state).toBe('RESOLVED');
    expect(core.booked.size).toBe(view.cause === 'correct' ? 1 : 0);
  });
});

describe('the table of cases', () => {
  it('is made again from the log after a crash between the two', async () => {
    const caseId = await amasCase();
    await pool.query('delete from reconciliation.cases');
    await pool.query('update reconciliation.cases_to set position = 0');
    await open().goOn();
    expect((await cases.list({ assignee: 'user:ama' }, { limit: 9 })).items).toMatchObject([{ caseId }]);
  });

  it('gives pages that leave nothing out and show nothing twice', async () => {
    await told(...Array.from({ length: 7 }, (_, n) => ({ id: `e${n}`, kind: 'missing_internal', lines: [`l${n}`] })));
    await cases.goOn();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await cases.list({ open: true }, { limit: 3, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.items.map((item) => item.caseId));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen.sort()).toEqual(Array.from({ length: 7 }, (_, n) => caseIdOf(`e${n}`)).sort());
    await expect(cases.list({}, { limit: 3, cursor: 'bm8' })).rejects.toMatchObject({ code: 'Invalid' });
  });
});
