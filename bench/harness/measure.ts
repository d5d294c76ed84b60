import { closedLoop, type ClosedLoopOptions, type ClosedLoopResult } from '../load/closed-loop.ts';
import type { CaseContext } from './case.ts';
import { CpuMeter, type CpuUse } from './cpu-meter.ts';

type Notes = Record<string, number>;

/** Runs a closed loop as long as the context says, and notes what one payment cost whom. */
export async function measure(
  context: CaseContext,
  options: Pick<ClosedLoopOptions, 'inFlight' | 'send' | 'held' | 'onEdge'> & {
    /** A process of ours that does the work, if it is not this one. */
    readonly serverPid?: number;
    /** Payments in one request. Default 1. */
    readonly weight?: number;
  },
): Promise<ClosedLoopResult & { readonly notes: Notes }> {
  const meter = new CpuMeter(context.postmasterPid, options.serverPid);
  let use: CpuUse | undefined;
  const result = await closedLoop({
    ...options,
    warmupMs: context.warmupMs,
    measureMs: context.measureMs,
    onEdge: (edge) => {
      if (edge === 'begin') meter.begin();
      else use = meter.end();
      options.onEdge?.(edge);
    },
  });
  const payments = result.counted * (options.weight ?? 1);
  return { ...result, notes: { requests: result.counted, ...cpuNotes(use, payments) } };
}

export function cpuNotes(use: CpuUse | undefined, payments: number): Notes {
  if (use === undefined) return {};
  return {
    nodeUs: round((use.nodeMs * 1_000) / payments),
    ...(use.serverMs !== undefined && { serverUs: round((use.serverMs * 1_000) / payments) }),
    postgresUs: round((use.postgresMs * 1_000) / payments),
    elsewhere: round(use.elsewhere),
  };
}

export function round(value: number, decimals = 2): number {
  return Number(value.toFixed(decimals));
}
