import type { Registry } from 'prom-client';
import { Counts } from '../platform/metrics/counts.ts';
import { Asked, type AskedOptions } from '../platform/metrics/readings.ts';
import { Spread } from '../platform/metrics/spread.ts';

/** What reconciliation tells of what it does. Labels are bank profiles, findings, kinds of cases: few each. */
export interface ReconciliationMetrics {
  readonly settled: (profile: string, delaySeconds: number) => void;
  readonly found: (finding: { readonly profile: string; readonly kind: string; readonly refused: boolean }) => void;
  /** Asks for the figures of open cases, whenever metrics are read. */
  readonly cases: (ask: () => Promise<readonly CaseFigures[]>) => void;
}

interface CaseFigures {
  readonly kind: string;
  /** By days. */
  readonly open: Readonly<Record<string, number>>;
  readonly oldestSeconds: number;
  readonly overdue: number;
}

/** From seconds, where a provider says so at once, to the two weeks of a slow bank. Seconds. */
const delayBounds = [1, 10, 60, 300, 1_800, 3_600, 4 * 3_600, 12 * 3_600].concat(
  [1, 2, 3, 4, 7, 14].map((days) => days * 86_400),
);

export function reconciliationMetrics(registry: Registry, options: AskedOptions): ReconciliationMetrics {
  const delays = new Spread(registry, {
    name: 'kora_settlement_delay_seconds',
    help: 'From when a statement could first show a payment to its settlement',
    labels: ['bank_profile'],
    bounds: delayBounds,
  });
  const findings = new Counts(registry, {
    name: 'kora_reconciliation_findings_total',
    help: 'What matching came to, by bank profile',
    labels: ['bank_profile', 'finding'],
  });
  const refusals = new Counts(registry, {
    name: 'kora_reconciliation_refusals_total',
    help: 'Findings that the core refused to carry out, by bank profile',
    labels: ['bank_profile'],
  });
  return {
    settled: (profile, delaySeconds) => delays.of(profile).observe(delaySeconds),
    found: ({ profile, kind, refused }) => {
      findings.of(profile, kind).value += 1;
      refusals.of(profile).value += refused ? 1 : 0;
    },
    cases: caseMetrics(registry, options),
  };
}

/** How old open cases are, asked of reconciliation's database where this process has it. */
function caseMetrics(registry: Registry, options: AskedOptions): ReconciliationMetrics['cases'] {
  let askOne: () => Promise<readonly CaseFigures[]> = () => Promise.resolve([]);
  const figures = new Asked(() => askOne(), options);
  figures.gauge(
    registry,
    {
      name: 'kora_cases_open',
      help: 'Open cases, by kind and by days since they were opened',
      labels: ['kind', 'days'],
    },
    (all) =>
      all.flatMap(({ kind, open }) => Object.entries(open).map(([days, value]) => ({ labels: { kind, days }, value }))),
  );
  figures.gauge(
    registry,
    { name: 'kora_cases_oldest_seconds', help: 'Age of the oldest open case; 0 without any', labels: ['kind'] },
    (all) => all.map(({ kind, oldestSeconds: value }) => ({ labels: { kind }, value })),
  );
  figures.gauge(
    registry,
    { name: 'kora_cases_overdue', help: 'Open cases that should have been dealt with by now', labels: ['kind'] },
    (all) => all.map(({ kind, overdue: value }) => ({ labels: { kind }, value })),
  );
  return (ask) => void (askOne = ask);
}
