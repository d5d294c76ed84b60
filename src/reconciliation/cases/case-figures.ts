import type pg from 'pg';
import { type Age, ageOf, ages } from '../report/figures.ts';
import { type CaseKind, caseKinds } from './case.facts.ts';

/** Open cases of a kind. Every kind is told, also where there is none. */
export interface CaseFigures {
  readonly kind: CaseKind;
  /** By days since they were opened, as in the daily report. */
  readonly open: Readonly<Record<Age, number>>;
  /** Since the oldest of them was opened; 0 without any. */
  readonly oldestSeconds: number;
  /** Those that should have been dealt with by now. */
  readonly overdue: number;
}

/** @param pool reconciliation's own database */
export async function caseFigures(pool: pg.Pool, now: Date = new Date()): Promise<CaseFigures[]> {
  const { rows } = await pool.query<{ kind: string; days: number; open: number; oldest: number; overdue: number }>(
    `select kind, floor(extract(epoch from $1::timestamptz - opened_at) / 86400)::int as days, count(*)::int as open,
       max(extract(epoch from $1::timestamptz - opened_at))::float8 as oldest,
       (count(*) filter (where due_at < $1::timestamptz))::int as overdue
     from reconciliation.cases where ended_at is null group by 1, 2`,
    [now],
  );
  return caseKinds.map((kind) => {
    const open: Record<Age, number> = Object.fromEntries(ages.map((age) => [age, 0])) as Record<Age, number>;
    const ofKind = rows.filter((row) => row.kind === kind);
    for (const row of ofKind) open[ageOf(row.days)] += row.open;
    return {
      kind,
      open,
      oldestSeconds: Math.max(0, ...ofKind.map(({ oldest }) => oldest)),
      overdue: ofKind.reduce((sum, { overdue }) => sum + overdue, 0),
    };
  });
}
