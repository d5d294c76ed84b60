import { fc, test } from '@fast-check/vitest';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../../eventstore/index.ts';
import { Examiner } from '../../../src/reconciliation/matching/examine.ts';
import { defaultRulesDocument, readRules, runMatching } from '../../../src/reconciliation/matching/index.ts';
import type { Expectation, ExternalLine } from '../../../src/reconciliation/matching/sides.ts';
import {
  PostgresMatchingStore,
  reconciliationMigrations,
} from '../../../src/reconciliation/postgres/matching-store.ts';
import { dayToLookFrom, runCompleted, runToGoOnWith } from '../../../src/reconciliation/postgres/current-run.ts';
import { migrate } from '../../../src/platform/postgres/migrate.ts';
import { migrationSets } from '../../../src/platform/migrations.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { oracle } from './support/oracle.ts';
import { matchText, settledByEffects, settledByMatches, type StandingMatch, stateText } from './support/outcomes.ts';
import { firstDay, lastDay, rules, worlds } from './support/worlds.ts';

let database: TestDatabase;
let pool: pg.Pool;
let store: PostgresMatchingStore;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool(database.poolConfig);
  const client = await pool.connect();
  const sets = migrationSets.filter(({ module }) => module !== reconciliationMigrations.module);
  await migrate(client, [...sets, reconciliationMigrations]);
  client.release();
  store = new PostgresMatchingStore(pool);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

class CrashError extends Error {}

/** Proves that the store in PostgreSQL comes to the same as brute force, whatever the order and however often it is cut off. */
describe('matching in PostgreSQL', () => {
  const steps = fc.array(
    fc.record({
      run: fc.nat(3),
      batchSize: fc.integer({ min: 1, max: 5 }),
      days: fc.nat(2),
      crash: fc.boolean(),
      /** It is fed beside the examination of what was there. */
      meanwhile: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );

  test.prop([worlds, steps], { numRuns: Number(process.env['KORA_MATCHING_RUNS'] ?? 60) })(
    'comes to what everything at once comes to',
    async ({ lines, expectations, decisions, feeds }, plan) => {
      await empty();
      let today = firstDay;
      const examinerOf = (batchSize: number) => new Examiner({ store, runId: 'r', today, rules, batchSize });
      for (const [at, feed] of feeds.entries()) {
        const feeding = store.put(feed);
        const step = plan[at % plan.length];
        if (step === undefined) throw new Error('a plan without steps');
        const { run, batchSize, days, crash, meanwhile } = step;
        if (!meanwhile) await feeding;
        today = Math.min(today + (at % 3 === 0 ? days : 0), lastDay);
        const examiner = examinerOf(batchSize);
        for (let times = 0; times < run; times++) {
          const isCutOff = crash && times === 0;
          await examiner
            .next(() => (isCutOff ? Promise.reject(new CrashError()) : Promise.resolve()))
            .catch((error: unknown) => {
              if (!(error instanceof CrashError)) throw error;
            });
        }
        await examiner.end();
        await feeding;
      }
      today = lastDay;
      let rounds = 0;
      const last = examinerOf(3);
      while ((await last.next()) !== undefined) if (rounds++ > 200) throw new Error('it never comes to an end');
      const wanted = oracle(lines, expectations, decisions, rules, lastDay);
      const standing = await standingMatches();
      expect(standing.map(matchText).sort()).toEqual(wanted.matches);
      expect(await states()).toEqual(wanted.states);
      expect(settledByEffects(await effects())).toEqual(settledByMatches(standing));
    },
  );
});

/** Proves that a run is killed anywhere and goes on, and that nothing is told or counted twice. */
describe('a run', () => {
  const lines = Array.from({ length: 10 }, (_, at) => lineOf(at));
  const expectations = Array.from({ length: 10 }, (_, at) => expectationOf(at));
  const open = () => {
    const log = new MemoryLog();
    const options = { today: '2026-11-27', rules, store, log, now: () => new Date(), batchSize: 2 };
    return { log, options };
  };

  it('goes on after a kill between what was written and its telling', async () => {
    await empty();
    await store.put({ lines, expectations, cursor: { feed: 'f', from: 0, to: 1 } });
    const { log, options } = open();
    let left = 3;
    const submit = log.submit.bind(log);
    log.submit = (unit, settled) => {
      if (left-- === 0) throw new Error('killed');
      return submit(unit, settled);
    };
    await expect(runMatching({ ...options, runId: 'one' })).rejects.toThrow('killed');
    const { rows } = await pool.query<{ count: string }>('select count(*) from reconciliation.batches');
    expect(Number(rows[0]?.count)).toBe(3);

    left = Number.POSITIVE_INFINITY;
    log.submit = submit;
    const report = await runMatching({ ...options, runId: 'one' });
    expect(report).toMatchObject({
      state: 'COMPLETED',
      counts: { lines: 10, 'matched.reference': 10, settle: 10 },
    });
    expect((await effects()).filter(({ kind }) => kind === 'settle')).toHaveLength(10);
    expect(await runMatching({ ...options, runId: 'one' })).toEqual(report);
  });

  it('takes a feed from its place only', async () => {
    await empty();
    const cursor = { feed: 'f', from: 0, to: 7 };
    expect(await store.put({ lines, cursor })).toBe('written');
    expect(await store.put({ expectations, cursor })).toBe('elsewhere');
    expect(await store.cursorOf('f')).toBe(7);
    expect(Object.keys(await states())).toHaveLength(10);
  });

  it('displaces what was matched weakly, and tells it in order', async () => {
    await empty();
    const { options } = open();
    const { tokens: _, ...anonymous } = lineOf(1);
    await store.put({ expectations: [expectationOf(1)], lines: [{ ...anonymous, tokens: [] }] });
    await runMatching({ ...options, runId: 'first' });
    await store.put({ lines: [{ ...lineOf(1), id: 'late', tokens: ['t1'] }] });
    await runMatching({ ...options, runId: 'second' });
    const told = (await effects()).map(({ kind, lineIds, detail }) => [
      kind,
      lineIds[0],
      detail['rule'],
      detail['was'],
    ]);
    expect(told).toEqual([
      ['settle', 'l1', 'counterparty', 'OPEN'],
      ['displaced', 'l1', 'counterparty', 'MATCHED'],
      ['settle', 'late', 'reference', 'OPEN'],
      ['missing_internal', 'l1', undefined, 'MATCHED'],
    ]);
    const { rows } = await pool.query('select rule, made_by, ended_by from reconciliation.matches order by id');
    expect(rows).toEqual([
      { rule: 'counterparty', made_by: 'first', ended_by: 'second' },
      { rule: 'reference', made_by: 'second', ended_by: null },
    ]);
  });

  it('looks again at what is not matched when the rules are others, once', async () => {
    await empty();
    const { log, options } = open();
    const tolerant = (version: string, basisPoints: number) => {
      const feeTolerance = { basisPoints, absolute: {} };
      const profiles = { '*': { ...defaultRulesDocument.profiles['*'], graceDays: 0, feeTolerance } };
      return readRules({ ...defaultRulesDocument, version, profiles });
    };
    const [strict, lenient] = [tolerant('1', 0), tolerant('2', 200)];
    expect(await store.useRules(strict)).toBe(false);
    const tooLittle = { ...lineOf(1), amount: -(expectationOf(1).amount + 1n) };
    await store.put({ expectations: [expectationOf(1), expectationOf(2)], lines: [tooLittle, lineOf(2)] });
    await runMatching({ ...options, rules: strict, runId: 'strict' });
    expect(await states()).toMatchObject({ 'line l1': 'MISMATCH', 'line l2': 'MATCHED' });
    expect(await store.useRules(strict)).toBe(false);
    expect(await runToGoOnWith(pool, options.today)).toBeUndefined();

    expect(await store.useRules(lenient)).toBe(true);
    expect(await runToGoOnWith(pool, options.today)).toBeDefined();
    expect(await store.useRules(lenient)).toBe(false);
    // What was matched by the old ones stands, and is not looked at.
    expect(await runMatching({ ...options, rules: lenient, runId: 'lenient' })).toMatchObject({
      counts: { lines: 1, expectations: 1, 'matched.fee': 1, settle: 1 },
    });
    await runCompleted(pool);
    expect(await states()).toMatchObject({ 'line l1': 'MATCHED', 'line l2': 'MATCHED' });
    const begun: unknown[] = [];
    for await (const { events } of log.readStream('run/lenient')) begun.push(events[0]?.data);
    expect(begun[0]).toMatchObject({ rulesVersion: '2' });

    // One version is never two files, also not much later.
    await expect(store.useRules(tolerant('1', 100))).rejects.toThrow('give the changed file another version');
    expect(await store.useRules(strict)).toBe(true);
  });

  it('never looks from an earlier day than before', async () => {
    expect(await dayToLookFrom(pool, '2026-11-27')).toBe('2026-11-27');
    expect(await dayToLookFrom(pool, '2026-11-25')).toBe('2026-11-27');
    expect(await dayToLookFrom(pool, '2026-11-28')).toBe('2026-11-28');
  });

  it('keeps amounts of thirty digits exact', async () => {
    await empty();
    const { options } = open();
    const amount = 10n ** 29n + 7n;
    await store.put({
      expectations: [{ ...expectationOf(1), amount, fee: 3n }],
      lines: [{ ...lineOf(1), amount: -(amount + 3n) }],
    });
    await runMatching({ ...options, runId: 'great' });
    expect((await effects())[0]?.detail).toMatchObject({ amount: amount.toString(), fee: '3' });
    expect((await standingMatches())[0]?.fees).toEqual([3n]);
  });
});

function lineOf(at: number): ExternalLine {
  return {
    id: `l${at}`,
    profile: 'a',
    account: 'x',
    amount: BigInt(-100 - at),
    currency: 'XOF',
    valueDate: '2026-11-03',
    tokens: [`t${at}`],
    textTokens: [],
    counterparty: 'c',
    reversal: false,
    held: false,
  };
}

function expectationOf(at: number): Expectation {
  return {
    id: `e${at}`,
    profile: 'a',
    direction: 'out',
    amount: BigInt(100 + at),
    currency: 'XOF',
    tokens: [`t${at}`],
    groupTokens: [],
    counterparty: 'c',
    date: '2026-11-03',
    position: 1,
  };
}

async function empty(): Promise<void> {
  await pool.query(`truncate reconciliation.cursors, reconciliation.lines, reconciliation.line_states, reconciliation.line_keys,
    reconciliation.expectations, reconciliation.expectation_states, reconciliation.expectation_keys, reconciliation.matches, reconciliation.decisions,
    reconciliation.effects, reconciliation.batches`);
  await pool.query('update reconciliation.looked_at set up_to = 0; delete from reconciliation.rules_used');
}

async function standingMatches(): Promise<StandingMatch[]> {
  const { rows } = await pool.query<{
    rule: string;
    kind: string;
    line_ids: string[];
    expectation_ids: string[];
    fees: string[];
  }>('select rule, kind, line_ids, expectation_ids, fees::text[] from reconciliation.matches where ended_at is null');
  return rows.map(({ rule, kind, line_ids: lineIds, expectation_ids: expectationIds, fees }) => ({
    rule,
    kind,
    lineIds,
    expectationIds,
    fees: fees.map(BigInt),
  }));
}

async function states(): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ name: string; state: string; reason: string | null }>(
    `select 'line ' || id as name, coalesce(state, 'OPEN') as state, reason from reconciliation.lines
      left join reconciliation.line_states on line = number
      union all select 'expectation ' || id, coalesce(state, 'OPEN'), reason from reconciliation.expectations
      left join reconciliation.expectation_states on expectation = number`,
  );
  return Object.fromEntries(rows.map((row) => [row.name, stateText(row)]));
}

async function effects() {
  const { rows } = await pool.query<{
    kind: string;
    line_ids: string[];
    expectation_ids: string[];
    detail: Record<string, string>;
  }>('select kind, line_ids, expectation_ids, detail from reconciliation.effects order by sequence');
  return rows.map(({ kind, line_ids: lineIds, expectation_ids: expectationIds, detail }) => ({
    kind,
    lineIds,
    expectationIds,
    detail,
  }));
}
