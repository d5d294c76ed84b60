import { setTimeout as sleep } from 'node:timers/promises';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import type pg from 'pg';
import type { EventLog, Position } from '../../eventstore/index.ts';
import { Gatherer, ProjectionFault, type Member } from './batch.ts';
import { readCheckpoints, recordPoison, type Checkpoint } from './postgres/checkpoints.ts';
import { installProjections } from './postgres/tables.ts';
import { writeBatch } from './postgres/write-batch.ts';
import type { Projection } from './projection.ts';

export interface ProjectorOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly pool: pg.Pool;
  readonly projections: readonly Projection[];
  /** Ends it: what is being written is finished, what was only gathered is folded again by the next run. */
  readonly signal: AbortSignal;
  /** Units in one transaction. Default 1,000. */
  readonly batchUnitsMax?: number;
  /**
   * How long a batch may wait to grow. Default 40 ms: a transaction costs more than what is in it, and at some hundred
   * payments a second it would be one for every two of them.
   */
  readonly lingerMs?: number;
  /** How long to stand by after another process turned out to be doing the work. Default 250 ms. */
  readonly standbyMs?: number;
  readonly onProgress?: (progress: ProjectorProgress) => void;
  /**
   * Told of what keeps projections from going on: `ProjectionFault` (that projection stops, its checkpoint says why),
   * `OutdatedProjectionError` (its tables are of other code), anything else is tried again with back-off.
   */
  readonly onError?: (error: Error) => void;
}

export interface ProjectorProgress {
  readonly projections: readonly string[];
  /** All units up to here are in their tables. */
  readonly position: Position;
  /** Of the transaction that was committed. */
  readonly units: number;
}

/** The tables were made by another version of the projection's code: `rebuild` makes new ones. */
export class OutdatedProjectionError extends Error {
  override readonly name = 'OutdatedProjectionError';
  readonly code = 'ProjectionOutdated';
}

/** Checkpoints nearer than this share a subscription and a transaction; a projection further behind catches up alone. */
const nearEvents = 20_000;
/** How often to look whether a projection that stopped may go on (rebuilt, or cleared by hand). */
const watchMs = 1_000;

/**
 * Follows the log and keeps the tables of projections. Any number of processes may run it: who finds a checkpoint moved
 * by another stands by, and takes over when it stops moving. Returns when the signal aborts.
 */
export async function runProjector(options: ProjectorOptions): Promise<void> {
  const { signal, onError } = options;
  const projector = new Projector(options);
  const policy = retry(handleAll, {
    maxAttempts: Number.MAX_SAFE_INTEGER,
    backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 2_000 }),
  });
  policy.onFailure(({ reason }) => {
    if ('error' in reason && !signal.aborted) onError?.(asError(reason.error));
  });
  try {
    await policy.execute(() => installProjections(options.pool, options.projections), signal);
    while (!isAborted(signal)) await policy.execute(() => projector.round(), signal);
  } catch (error) {
    if (!isAborted(signal)) throw error;
  }
}

// A function, because the compiler believes that the property cannot change between two looks.
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

type RoundEnd = 'aborted' | 'regroup' | 'fenced';

class Projector {
  readonly #options: ProjectorOptions;
  /** Stopped for good, until its checkpoint changes: by projection, its table version. */
  readonly #stopped = new Map<string, number>();
  /** Failed in a batch: goes unit by unit up to this position, so that it stops right before the one at fault. */
  readonly #suspects = new Map<string, Position>();

  constructor(options: ProjectorOptions) {
    this.#options = options;
  }

  /** Groups projections by their checkpoints and follows the log with each group until something changes that. */
  async round(): Promise<void> {
    const { pool, signal, standbyMs = 250 } = this.#options;
    const groups = this.#groups(await readCheckpoints(pool));
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const runs = groups.map((group) => this.#follow(group, ended, groups.length));
    runs.push(this.#watch(ended));
    const settled = await Promise.allSettled(runs.map((run) => run.finally(() => over.abort())));
    for (const { projection } of groups.flat().filter((member) => this.#isCleared(member))) {
      this.#suspects.delete(projection.name);
    }
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed !== undefined) await this.#failed(failed.reason as unknown, groups.flat());
    if (settled.some((result) => result.status === 'fulfilled' && result.value === 'fenced'))
      await this.#standBy(standbyMs);
  }

  #groups(checkpoints: readonly Checkpoint[]): Member[][] {
    const members: Member[] = [];
    for (const projection of this.#options.projections) {
      const checkpoint = checkpoints.find((row) => row.projection === projection.name);
      if (checkpoint === undefined) throw new Error(`projection ${projection.name} has no checkpoint`);
      if (this.#mayRun(projection, checkpoint)) members.push({ projection, position: checkpoint.position });
    }
    members.sort((one, other) => one.position - other.position);
    const groups: Member[][] = [];
    for (const member of members) {
      const group = groups.at(-1);
      const first = group?.[0];
      const alone = this.#suspects.has(member.projection.name) || this.#suspects.has(first?.projection.name ?? '');
      if (group === undefined || first === undefined || alone || member.position - first.position > nearEvents) {
        groups.push([member]);
      } else group.push(member);
    }
    return groups;
  }

  #mayRun(projection: Projection, { codeVersion, tableVersion, error }: Checkpoint): boolean {
    const stopped = this.#stopped.get(projection.name);
    if (codeVersion !== projection.version) {
      if (stopped !== tableVersion) {
        const message = `the tables of ${projection.name} are of version ${codeVersion}, this code is ${projection.version}: rebuild it`;
        this.#options.onError?.(new OutdatedProjectionError(message));
      }
      this.#stopped.set(projection.name, tableVersion);
      return false;
    }
    // A new process tries again what stopped an old one: it may be of better code.
    if (stopped !== undefined && stopped === tableVersion && error !== undefined) return false;
    this.#stopped.delete(projection.name);
    return true;
  }

  async #follow(group: Member[], ended: AbortSignal, groups: number): Promise<RoundEnd> {
    const { log, pool, batchUnitsMax = 1_000, lingerMs = 40, onProgress } = this.#options;
    const over = new AbortController();
    const signal = AbortSignal.any([ended, over.signal]);
    const stepwise = group.some(({ projection }) => this.#suspects.has(projection.name));
    const gatherer = new Gatherer(group, stepwise ? 1 : batchUnitsMax, signal);
    const from = Math.min(...group.map(({ position }) => position));

    const gather = async (): Promise<RoundEnd> => {
      for await (const unit of log.subscribe(from, signal)) {
        const full = gatherer.add(unit);
        if (full !== undefined) await full;
      }
      return 'aborted';
    };
    const write = async (): Promise<RoundEnd> => {
      for (;;) {
        const batch = await gatherer.next(stepwise ? 0 : lingerMs);
        if (batch === undefined) return 'aborted';
        if ((await writeBatch(pool, batch)) === 'fenced') return 'fenced';
        const projections = group.map(({ projection }) => projection.name);
        onProgress?.({ projections, position: batch.end, units: batch.units });
        if (group.some((member) => this.#isCleared(member))) return 'regroup';
        // Others are ahead, and this group has come to the end of what it was behind: perhaps they can be one.
        if (groups > 1 && !batch.full && !stepwise) return 'regroup';
      }
    };
    const [gathered, written] = await Promise.allSettled(
      [gather(), write()].map((run) => run.finally(() => over.abort())),
    );
    if (written?.status === 'rejected') throw written.reason;
    if (gathered?.status === 'rejected') throw gathered.reason;
    return written?.value ?? 'aborted';
  }

  /** A suspect that has passed the place where it failed. */
  #isCleared({ projection, position }: Member): boolean {
    const until = this.#suspects.get(projection.name);
    return until !== undefined && position >= until;
  }

  /** A projection at fault goes on alone, unit by unit; if it was alone already it stops. Everything else is thrown. */
  async #failed(error: unknown, members: readonly Member[]): Promise<void> {
    if (!(error instanceof ProjectionFault)) throw error;
    const name = error.projection;
    const member = members.find(({ projection }) => projection.name === name);
    if (member === undefined) throw error;
    if (!this.#suspects.has(name)) {
      this.#suspects.set(name, error.position);
      return;
    }
    this.#suspects.delete(name);
    const { tableVersion } = (await readCheckpoints(this.#options.pool)).find((row) => row.projection === name) ?? {};
    await recordPoison(this.#options.pool, name, member.position, error.position, error);
    this.#stopped.set(name, tableVersion ?? 0);
    this.#options.onError?.(error);
  }

  /** Ends the round when a projection that stopped has been rebuilt or cleared. */
  async #watch(ended: AbortSignal): Promise<RoundEnd> {
    for (;;) {
      await sleep(watchMs, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return 'aborted';
      if (this.#stopped.size === 0) continue;
      const checkpoints = await readCheckpoints(this.#options.pool);
      const freed = checkpoints.some(({ projection, tableVersion, error, codeVersion }) => {
        const stopped = this.#stopped.get(projection);
        const code = this.#options.projections.find(({ name }) => name === projection);
        return (
          stopped !== undefined && code?.version === codeVersion && (stopped !== tableVersion || error === undefined)
        );
      });
      if (freed) return 'regroup';
    }
  }

  async #standBy(standbyMs: number): Promise<void> {
    const { pool, signal } = this.#options;
    const look = async (): Promise<string> =>
      JSON.stringify((await readCheckpoints(pool)).map(({ projection, position }) => [projection, position]));
    for (let before = await look(); ;) {
      await sleep(standbyMs, undefined, { signal }).catch(() => undefined);
      if (isAborted(signal)) return;
      const now = await look();
      if (now === before) return;
      before = now;
    }
  }
}
