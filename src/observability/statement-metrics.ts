import type { Registry } from 'prom-client';
import { Counts } from '../platform/metrics/counts.ts';
import { Asked, type AskedOptions } from '../platform/metrics/readings.ts';

export interface StatementFigures {
  readonly unmatched: readonly { readonly profile: string; readonly lines: number }[];
  readonly files: readonly { readonly status: string; readonly files: number }[];
  readonly lagSeconds: number;
}

/** What banks have said, asked of the database. The first name and its label are the specification's. */
export function statementMetrics(
  registry: Registry,
  ask: () => Promise<StatementFigures>,
  options: AskedOptions,
): void {
  const figures = new Asked(async () => [await ask()], options);
  figures.gauge(
    registry,
    {
      name: 'molam_bank_statement_lines_unmatched',
      help: 'Lines of statements that nothing is matched with, by bank profile',
      labels: ['bank_profile'],
    },
    ([all]) =>
      (all?.unmatched ?? []).map(({ profile, lines }) => ({ labels: { bank_profile: profile }, value: lines })),
  );
  figures.gauge(
    registry,
    {
      name: 'kora_statement_files',
      help: 'Files of banks, by status: received, parsed, quarantined, unreadable',
      labels: ['status'],
    },
    ([all]) => (all?.files ?? []).map(({ status, files }) => ({ labels: { status }, value: files })),
  );
  figures.gauge(
    registry,
    {
      name: 'kora_statement_import_lag_seconds',
      help: 'Age of the oldest file whose lines are not all in; 0 without any',
      labels: [],
    },
    ([all]) => (all === undefined ? [] : [{ labels: {}, value: all.lagSeconds }]),
  );
}

/** Looks at the servers of banks, by what they came to: done, failed. */
export function pollMetrics(registry: Registry): (profile: string, outcome: 'done' | 'failed') => void {
  const polls = new Counts(registry, {
    name: 'kora_statement_polls_total',
    help: "Looks at banks' servers, by what they came to: done, failed",
    labels: ['bank_profile', 'outcome'],
  });
  return (profile, outcome) => {
    polls.of(profile, outcome).value += 1;
  };
}
