import type pg from 'pg';
import type { TroubleSource } from '../trouble-source.ts';
import type { DoorState } from './app.ts';
import type { Readiness } from './parts.ts';

/** Asked by balancers every few seconds: the database is asked at most so often, however many ask. */
const REMEMBERED_MS = 500;

export interface ReadinessOptions {
  readonly pool: pg.Pool;
  readonly state: DoorState;
  readonly probeMs: number;
  readonly troubles?: TroubleSource | undefined;
  /** Of a process that stands on another one: why that is not there, for everybody to read. */
  readonly core?: (() => Promise<string | undefined>) | undefined;
}

/** Ready: not ending, nothing known to be wrong, and the database answers the door in time. */
export function readinessOf({ pool, state, probeMs, troubles, core }: ReadinessOptions): () => Promise<Readiness> {
  let asked: Promise<boolean> | undefined;
  const ask = (): Promise<boolean> =>
    // One question at a time: connections that nobody answers on are not to be taken from those who pay.
    (asked ??= pool
      .query('select 1')
      .then(
        () => true,
        () => false,
      )
      .finally(() => (asked = undefined)));
  let probe: Promise<readonly [database: boolean, core: string | undefined]> | undefined;
  let probedAtMs = 0;
  return async () => {
    if (state.draining) return { ready: false, checks: { process: 'draining' } };
    const trouble = troubles?.current;
    if (trouble !== undefined) {
      return { ready: false, checks: { process: 'ok', database: 'failed' }, reason: trouble.reason };
    }
    const now = performance.now();
    if (probe === undefined || now - probedAtMs > REMEMBERED_MS) {
      probedAtMs = now;
      probe = Promise.all([inTime(ask(), probeMs), core?.()]);
    }
    const [database, reason] = await probe;
    const checks = { process: 'ok', database: database ? 'ok' : 'failed' } as const;
    if (core === undefined) return { ready: database, checks };
    const found = { ...checks, core: reason === undefined ? 'ok' : 'failed' } as const;
    return { ready: database && reason === undefined, checks: found, ...(reason !== undefined && { reason }) };
  };
}

async function inTime(asked: Promise<boolean>, probeMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), probeMs);
  });
  const answered = await Promise.race([asked, tooLate]);
  clearTimeout(timer);
  return answered;
}
