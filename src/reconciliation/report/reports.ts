import type pg from 'pg';
import { askFigures, type ReportPorts } from './ask-figures.ts';
import { type DailyReport, dailyReport } from './daily-report.ts';

export interface Reports {
  /** @param date `2026-11-27` */
  daily(date: string, profile?: string): Promise<DailyReport>;
}

/** @param pool reconciliation's own database */
export function createReports(pool: pg.Pool, ports: ReportPorts, now: () => Date = () => new Date()): Reports {
  return {
    daily: async (date, profile) =>
      dailyReport(await askFigures(pool, ports, { date, now: now(), ...(profile !== undefined && { profile }) })),
  };
}
