import type pg from 'pg';
import { askFigures, type ReportPorts } from './ask-figures.ts';
import { type DailyReport, dailyReport } from './daily-report.ts';

export interface Reports {
  /** @param date `2026-11-27` */
  daily(date: string, profile?: string): Promise<DailyReport>;
}

/** Whether it is a day of the calendar, as `2026-11-27`. */
export function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** @param pool reconciliation's own database */
export function createReports(pool: pg.Pool, ports: ReportPorts, now: () => Date = () => new Date()): Reports {
  return {
    daily: async (date, profile) =>
      dailyReport(await askFigures(pool, ports, { date, now: now(), ...(profile !== undefined && { profile }) })),
  };
}
