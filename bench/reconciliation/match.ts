import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PostgresLog } from '../../eventstore/index.ts';
import { type MatchingStore, readRules, runMatching } from '../../src/reconciliation/matching/index.ts';
import defaultRules from '../../src/reconciliation/matching/default-rules.json' with { type: 'json' };
import { PostgresMatchingStore, reconciliationMigrations } from '../../src/reconciliation/postgres/matching-store.ts';
import { migrationSets } from '../../src/platform/migrations.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { type CaseContext, mustHold } from '../harness/case.ts';
import { CpuMeter, type CpuUse } from '../harness/cpu-meter.ts';
import { type Deal, dealOf, faults, today } from './deals.ts';

/** One hundredth within an amount is taken for a fee. */
const rules = readRules({
  ...defaultRules,
  profiles: {
    '*': { daysBefore: 1, daysAfter: 3, graceDays: 1, feeTolerance: { basisPoints: 100, absolute: { XOF: '10' } } },
  },
});

/** Deals that are fed at once. */
const pageSize = 5_000;

export interface Matched {
  readonly lines: number;
  readonly expectations: number;
  readonly seconds: number;
  readonly settled: number;
  readonly faults: number;
  readonly use: CpuUse | undefined;
  /** Of resident memory, after a quarter of the lines and while the others come. */
  readonly memoryEarlyMb: number;
  readonly memoryPeakMb: number;
}

/**
 * Feeds and examines what is expected, then measures how the lines are taken in and matched, and looks at every line and
 * payment whether it came out as it had to.
 */
export async function match(context: CaseContext, deals: number): Promise<Matched> {
  const night = await prepareNight(context.database, deals);
  await context.checkpoint();
  const memory = watchMemory();
  const meter = new CpuMeter(context.postmasterPid);
  meter.begin();
  const startedAt = performance.now();
  const { lines, settled } = await night.match(memory.quarter);
  const seconds = (performance.now() - startedAt) / 1_000;
  const use = meter.end();
  const { earlyMb, peakMb } = memory.end();
  const found = await checkAll(night.pool, deals);
  await night.close();
  const { expectations } = night;
  return { lines, expectations, seconds, settled, faults: found, use, memoryEarlyMb: earlyMb, memoryPeakMb: peakMb };
}

export interface Night {
  readonly pool: pg.Pool;
  readonly expectations: number;
  /** Takes all lines in and matches them, until nothing is left. */
  match(quarterIsFed: () => void): Promise<{ readonly lines: number; readonly settled: number }>;
  close(): Promise<void>;
}

/** Everything that is expected is there and was looked at, in an empty database. */
export async function prepareNight(database: pg.ClientConfig, deals: number): Promise<Night> {
  const pool = new pg.Pool({ ...database, max: 3 });
  const client = await pool.connect();
  await migrate(client, [
    ...migrationSets.filter(({ module }) => module !== 'reconciliation'),
    reconciliationMigrations,
  ]);
  client.release();
  const log = new PostgresLog({ config: database });
  const store = new PostgresMatchingStore(pool);
  const options = { store, log, rules, now: () => new Date() };

  let expectations = 0;
  for (const [at, page] of pagesOf(deals).entries()) {
    const fed = page.flatMap((deal) => deal.expectations);
    expectations += fed.length;
    await store.put({ expectations: fed, cursor: { feed: 'expectations', from: at, to: at + 1 } });
  }
  await runMatching({ ...options, runId: 'before', today: '2026-11-02' });
  await pool.query(
    'vacuum (analyze) reconciliation.expectations, reconciliation.expectation_states, reconciliation.expectation_keys',
  );
  return {
    pool,
    expectations,
    match: async (quarterIsFed) => {
      const fed = new AbortController();
      const feeding = feedLines(store, deals, quarterIsFed).finally(() => fed.abort());
      // It is matched while it is taken in, by one run after the other, of which the last has seen everything.
      let settled = 0;
      for (let run = 1, isLast = false; !isLast; run++) {
        isLast = fed.signal.aborted;
        const { counts } = await runMatching({ ...options, runId: `lines-${run}`, today });
        settled += counts['settle'] ?? 0;
        if (!isLast) await sleep(20);
      }
      return { lines: await feeding, settled };
    },
    close: async () => {
      await log.close();
      await pool.end();
    },
  };
}

async function feedLines(store: MatchingStore, deals: number, quarterIsFed: () => void): Promise<number> {
  let lines = 0;
  let pages = 0;
  for (const page of pagesOf(deals)) {
    // A bank has its own order.
    const fed = page.flatMap((deal) => deal.lines).reverse();
    lines += fed.length;
    await store.put({ lines: fed, cursor: { feed: 'lines', from: pages, to: ++pages } });
    if (pages === Math.ceil(deals / pageSize / 4)) quarterIsFed();
  }
  return lines;
}

function* pages(deals: number): Generator<Deal[]> {
  for (let from = 0; from < deals; from += pageSize)
    yield Array.from({ length: Math.min(pageSize, deals - from) }, (_, at) => dealOf(from + at));
}
const pagesOf = (deals: number): Iterator<Deal[]> & Iterable<Deal[]> & { entries(): Iterable<[number, Deal[]]> } => {
  const iterator = pages(deals);
  return Object.assign(iterator, {
    *entries(): Generator<[number, Deal[]]> {
      let at = 0;
      for (const page of iterator) yield [at++, page];
    },
  });
};

function watchMemory() {
  let [earlyMb, peakMb] = [0, 0];
  const mb = (): number => process.memoryUsage().rss / 2 ** 20;
  const timer = setInterval(() => (peakMb = Math.max(peakMb, mb())), 50);
  return {
    quarter: () => void (earlyMb = Math.max(peakMb, mb())),
    end: () => {
      clearInterval(timer);
      return { earlyMb, peakMb: Math.max(peakMb, mb()) };
    },
  };
}

/** @returns how many faults were planted, all of which were found */
async function checkAll(pool: pg.Pool, deals: number): Promise<number> {
  let planted = 0;
  for (const page of pagesOf(deals)) {
    const names = page.flatMap(({ truth }) => Object.keys(truth));
    const idsOf = (side: string): string[] =>
      names.filter((name) => name.startsWith(side)).map((name) => name.slice(side.length + 1));
    const { rows } = await pool.query<{ name: string; state: string; match_id: string | null }>(
      `select 'line ' || id as name, state || coalesce(' ' || reason, '') as state, match_id
        from reconciliation.lines join reconciliation.line_states on line = number where id = any($1)
        union all select 'expectation ' || id, state || coalesce(' ' || reason, ''), match_id
        from reconciliation.expectations
        join reconciliation.expectation_states on expectation = number where id = any($2)`,
      [idsOf('line'), idsOf('expectation')],
    );
    const came = new Map(rows.map((row) => [row.name, row]));
    for (const { kind, truth, pairs } of page) {
      if ((faults as readonly string[]).includes(kind)) planted += 1;
      for (const [name, wanted] of Object.entries(truth))
        mustHold(came.get(name)?.state === wanted, `${kind}: ${name} is ${came.get(name)?.state}, not ${wanted}`);
      for (const [line, one] of pairs) {
        const [a, b] = [came.get(`line ${line}`), came.get(`expectation ${one}`)];
        mustHold(a?.match_id === b?.match_id, `${kind}: line ${line} was matched with something else than ${one}`);
      }
    }
  }
  return planted;
}
