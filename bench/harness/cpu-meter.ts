import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick is. */
const tickMs = 10;

interface Sample {
  readonly at: number;
  readonly nodeMs: number;
  readonly serverMs: number | undefined;
  readonly besideMs: number;
  readonly postgresMs: number;
  /** Everybody's. */
  readonly machineMs: number;
}

/** Who used the processors between two moments. */
export interface CpuUse {
  /** This process, all its threads. */
  readonly nodeMs: number;
  /** The other process of ours, where there is one. */
  readonly serverMs: number | undefined;
  /** Postgres, all its processes. */
  readonly postgresMs: number;
  /** What is measured beside us, where there is something. */
  readonly besideMs: number;
  /** Processors that everybody else kept busy meanwhile, on average: above a few tenths the run was disturbed. */
  readonly elsewhere: number;
}

/** Reads from /proc what a run costs in processor time: it says more than speed does on a machine that is shared. */
export class CpuMeter {
  readonly #postmasterPid: number;
  readonly #serverPid: number | undefined;
  readonly #besidePid: number | undefined;
  #begin: Sample | undefined;

  /** @param besidePid of a process that belongs to the measurement, and does none of what is measured */
  constructor(postmasterPid: number, serverPid?: number, besidePid?: number) {
    this.#postmasterPid = postmasterPid;
    this.#serverPid = serverPid;
    this.#besidePid = besidePid;
  }

  begin(): void {
    this.#begin = this.#sample();
  }

  end(): CpuUse | undefined {
    const [begin, end] = [this.#begin, this.#sample()];
    if (begin === undefined || end === undefined) return undefined;
    const nodeMs = end.nodeMs - begin.nodeMs;
    const serverMs = end.serverMs === undefined ? undefined : end.serverMs - (begin.serverMs ?? 0);
    const postgresMs = end.postgresMs - begin.postgresMs;
    const besideMs = end.besideMs - begin.besideMs;
    const othersMs = end.machineMs - begin.machineMs - nodeMs - (serverMs ?? 0) - besideMs - postgresMs;
    return { nodeMs, serverMs, besideMs, postgresMs, elsewhere: Math.max(othersMs / (end.at - begin.at), 0) };
  }

  /** Undefined where there is no /proc as on Linux. */
  #sample(): Sample | undefined {
    try {
      const { user, system } = process.cpuUsage();
      return {
        at: performance.now(),
        nodeMs: (user + system) / 1_000,
        serverMs: this.#serverPid === undefined ? undefined : readStat(this.#serverPid)?.ownMs,
        besideMs: (this.#besidePid === undefined ? undefined : readStat(this.#besidePid)?.ownMs) ?? 0,
        postgresMs: this.#postgresMs(),
        machineMs: machineMs(),
      };
    } catch {
      return undefined;
    }
  }

  #postgresMs(): number {
    let sum = 0;
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const stat = readStat(pid);
      if (stat === undefined) continue;
      if (pid === this.#postmasterPid) sum += stat.ownMs + stat.reapedMs;
      else if (stat.parent === this.#postmasterPid) sum += stat.ownMs;
    }
    return sum;
  }
}

/** What a process has used of the processors so far, all its threads. Undefined where there is no /proc as on Linux. */
export function processorMs(pid: number): number | undefined {
  return readStat(pid)?.ownMs;
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function readStat(pid: number): { parent: number; ownMs: number; reapedMs: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // Gone since the folder was listed.
  }
  // After the name, which is in parentheses and may hold anything; the first is field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), ownMs: (field(14) + field(15)) * tickMs, reapedMs: (field(16) + field(17)) * tickMs };
}

function machineMs(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').trim().split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields.map(Number);
  return (user + nice + system + irq + softirq) * tickMs;
}
