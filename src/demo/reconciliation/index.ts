import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Kora } from '../../composition.ts';
import { moneyText } from '../../cli/money-text.ts';
import { tableLines } from '../../cli/table.ts';
import { defaultRulesDocument } from '../../reconciliation/index.ts';
import { bankStatement, plantDifferences } from './planted.ts';

/** Whose report it is, as the chapter of providers has it. */
const profile = 'mobile-money';

/** Of this profile everything is due on its day: a demo has one day. */
export async function writeRules(file: string): Promise<void> {
  const document = defaultRulesDocument;
  const due = { ...document.profiles['*'], daysAfter: 0, graceDays: 0 };
  const version = `${document.version}-demo`;
  await writeFile(file, JSON.stringify({ ...document, version, profiles: { ...document.profiles, [profile]: due } }));
}

export interface ReconciliationOptions {
  readonly kora: Kora;
  readonly http: string;
  readonly token: string;
  readonly reports: readonly string[];
  readonly date: string;
  readonly signal: AbortSignal;
}

/** The end of the day: the provider's report and a bank's statement come in, some of it wrong, and are held against the books. */
export async function reconcileDay(
  options: ReconciliationOptions,
): Promise<{ readonly lines: readonly string[]; readonly problems: readonly string[] }> {
  const { kora, http, token, reports, date, signal } = options;
  const planted = plantDifferences(reports);
  const pool = new pg.Pool({ ...kora.database, database: 'kora_reconciliation', max: 1 });
  try {
    const began = performance.now();
    await upload(http, token, 'report.csv', planted.csv);
    await upload(http, token, 'bank.sta', bankStatement(date));
    await reconciled(pool, kora, planted.csv.trim().split('\n').length - 1 + 2, signal);
    const tookS = (performance.now() - began) / 1_000;
    return await told(pool, planted, tookS);
  } finally {
    await pool.end();
  }
}

async function upload(http: string, token: string, name: string, body: string): Promise<void> {
  const response = await fetch(`${http}/v1/statements?profile=${profile}&fileName=${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body,
  });
  if (!response.ok) throw new Error(`the statement ${name} was answered ${response.status}: ${await response.text()}`);
}

/** Everything that was told is taken in, looked at and carried out. */
async function reconciled(pool: pg.Pool, kora: Pick<Kora, 'log'>, lines: number, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + 60_000; ;) {
    await sleep(100, undefined, { signal });
    const last = await kora.log.lastPosition();
    const { rows } = await pool.query<{ done: boolean }>(
      `select coalesce((select position from reconciliation.cursors where feed = 'payments'), 0) >= $1
         and (select count(*) from reconciliation.lines) >= $2
         and not exists (select from reconciliation.fresh_lines)
         and not exists (select from reconciliation.fresh_expectations)
         and not exists (select from reconciliation.line_states where due <= current_date)
         and not exists (select from reconciliation.expectation_states where due <= current_date)
         and (select completed from reconciliation.current_run)
         and (select sequence from reconciliation.carried_out_to)
           >= coalesce((select max(sequence) from reconciliation.effects), 0) as done`,
      [last, lines],
    );
    if (rows[0]?.done === true) return;
    if (Date.now() > deadline) throw new Error('the day was not reconciled in a minute');
  }
}

interface LineState {
  readonly state: string;
  readonly rule: string;
  readonly lines: number;
  readonly sum: string;
  readonly ids: readonly string[];
}

async function told(
  pool: pg.Pool,
  planted: ReturnType<typeof plantDifferences>,
  tookS: number,
): Promise<{ readonly lines: readonly string[]; readonly problems: readonly string[] }> {
  const { rows: states } = await pool.query<LineState>(
    `select s.state, coalesce(m.rule, '') as rule, count(*)::int as lines, sum(l.amount)::text as sum,
       array_agg(coalesce(m.expectation_ids[1], l.id) order by l.number) as ids
     from reconciliation.lines l join reconciliation.line_states s on s.line = l.number
       left join reconciliation.matches m on m.id = s.match_id
     group by 1, 2 order by 1, 2`,
  );
  // Missing it is called when its day is over, and the report has not named it.
  const { rows: missing } = await pool.query<{ id: string; amount: string; due: string }>(
    `select e.id, e.amount::text, s.due::text from reconciliation.expectations e
     join reconciliation.expectation_states s on s.expectation = e.number
     where e.profile = $1 and not e.withdrawn and s.state in ('OPEN', 'MISSING_PROVIDER')`,
    [profile],
  );
  const { rows: refused } = await pool.query<{ answer: unknown }>(
    `select answer from reconciliation.carried_out where outcome = 'refused'`,
  );
  const sums = states.map(({ state, rule, lines, sum }) => [state, rule, String(lines), moneyText(BigInt(sum), 'XOF')]);
  const absent = missing.map(({ amount, due }) => [
    `not reported, due ${due}`,
    '',
    '',
    moneyText(BigInt(amount), 'XOF'),
  ]);
  const of = (state: string): readonly string[] =>
    states.filter((one) => one.state === state).flatMap(({ ids }) => ids);
  const problems = [
    ...(of('MISMATCH').join() === planted.changed.reference
      ? []
      : [`the amount that was changed: ${of('MISMATCH').join()}`]),
    ...(of('MISSING_INTERNAL').length === 1
      ? []
      : [`${of('MISSING_INTERNAL').length} lines are nobody's, and one was made up`]),
    ...(missing.map(({ id }) => id).join() === planted.left.reference
      ? []
      : [`missing at the provider: ${missing.length}`]),
    ...(of('KNOWN').length === 2 ? [] : [`${of('KNOWN').length} fees and interests, and there are two`]),
    ...refused.map(({ answer }) => `the core refused: ${JSON.stringify(answer)}`),
  ].map((problem) => `reconciliation: ${problem}`);
  return {
    lines: [
      `The provider's report and a bank's statement were held against the books in ${tookS.toFixed(1)} s, three differences planted:`,
      ...tableLines(
        [
          { title: 'state' },
          { title: 'rule' },
          { title: 'lines', align: 'right' },
          { title: 'amount', align: 'right' },
        ],
        [...sums, ...absent],
      ),
      problems.length === 0
        ? 'Every planted difference was found, and nothing else: one amount is wrong, one line is nobody’s (it waits in suspense), one payment is not reported.'
        : 'NOT RIGHT: see the problems.',
    ],
    problems,
  };
}
