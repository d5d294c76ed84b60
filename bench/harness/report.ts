import type { Machine } from './machine.ts';
import type { FinishedRun, Result, SuiteResult } from './run-suite.ts';
import type { Suite, Target } from './suite.ts';

/** Above this, others kept so much of the machine busy that the figures are not those of the machine. */
const disturbedCores = 0.3;

/** The report for people: figures, ratios with what they should be, and the machine. */
export function reportOf(suite: Suite, { results, failures }: SuiteResult, machine: Machine): string {
  const figures = table(
    ['figure', 'median', '', 'rounds', 'node µs', 'server µs', 'postgres µs', 'others'],
    results.map(({ name, value, unit, rounds, notes }) => [
      name,
      figure(value),
      unit,
      rounds.map(figure).join(' '),
      note(notes['nodeUs'], 1),
      note(notes['serverUs'], 1),
      note(notes['postgresUs'], 1),
      note(notes['elsewhere'], 2),
    ]),
  );
  const judged = suite.targets.flatMap((target) => {
    const value = valueOf(target, results);
    if (value === undefined) return [];
    const { of, to, floor, aim } = target;
    const shown = to === undefined ? figure(value) : value.toFixed(2);
    return [[to === undefined ? of : `${of} / ${to}`, shown, bound(floor), bound(aim), verdict(value, target)]];
  });
  const parts = [
    `${suite.name}: ${suite.title}\n${machineLine(machine)}`,
    figures,
    table(['ratio', 'value', 'floor', 'aim', ''], judged),
  ];
  const busiest = Math.max(0, ...results.map(({ notes }) => notes['elsewhere'] ?? 0));
  if (busiest > disturbedCores) {
    parts.push(
      `Others used up to ${busiest.toFixed(1)} of ${machine.cores} cores meanwhile: do not quote these figures.`,
    );
  }
  for (const { caseName, error } of failures) parts.push(`FAILED ${caseName}: ${error.message}`);
  return `\n${parts.join('\n\n')}\n`;
}

/** One line for a run that has just ended. */
export function progressLine({ round, caseName, seconds, result }: FinishedRun): string {
  const what =
    result instanceof Error
      ? `FAILED: ${result.message}`
      : result.figures.map(({ value, unit }) => `${figure(value)} ${unit}`).join(', ');
  return `round ${round}  ${caseName.padEnd(18)} ${what}  (${seconds.toFixed(0)} s)\n`;
}

/** The report for machines. */
export function jsonOf(suite: Suite, { results, failures }: SuiteResult, machine: Machine, startedAt: Date): object {
  return {
    suite: suite.name,
    startedAt: startedAt.toISOString(),
    results,
    targets: suite.targets.flatMap((target) => {
      const value = valueOf(target, results);
      return value === undefined ? [] : [{ ...target, value, verdict: verdict(value, target) }];
    }),
    failures: failures.map(({ caseName, error }) => ({ case: caseName, error: error.message })),
    machine,
  };
}

function valueOf({ of, to }: Target, results: readonly Result[]): number | undefined {
  const result = results.find(({ name }) => name === of);
  return to === undefined ? result?.value : result?.ratioTo[to];
}

function verdict(value: number, { floor, aim, best = 'highest' }: Target): string {
  const reaches = (bound: number): boolean => (best === 'highest' ? value >= bound : value <= bound);
  if (aim !== undefined && reaches(aim)) return 'aim met';
  if (floor === undefined) return '';
  return reaches(floor) ? 'floor met, aim missed' : 'FLOOR MISSED';
}

function machineLine({ cores, model, memoryGiB, node, postgres, settings, fsyncMs, load, commit }: Machine): string {
  const { fsync, synchronous_commit: synchronous } = settings;
  return [
    `${cores} × ${model}, ${memoryGiB} GiB, Node ${node}, PostgreSQL ${postgres} (fsync ${fsync ?? '?'}, synchronous_commit ${synchronous ?? '?'})`,
    `a page made durable in ${fsyncMs} ms, load ${load.toFixed(1)} before the start, commit ${commit}`,
  ].join('\n');
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2);
}
function note(value: number | undefined, decimals: number): string {
  return value === undefined ? '' : value.toFixed(decimals);
}
function bound(value: number | undefined): string {
  return value === undefined ? '' : value.toLocaleString('en-US');
}

/** Columns that hold figures are flush right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return /^[\d.,]+$/.test(rows[0]?.[column] ?? '') ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
