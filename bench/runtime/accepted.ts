import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendResult, EventLog, Unit } from '../../eventstore/index.ts';
import type { Batch } from '../../eventstore/planner/batch-planner.ts';
import { type CommitAnswer, GroupCommitter } from '../../eventstore/planner/group-committer.ts';
import { encodeBatch } from '../../eventstore/postgres/append-batch.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { inFlight } from '../core/accepted.ts';
import { openWallets, pay } from '../core/kora.ts';
import type { CaseContext, Measured } from '../harness/case.ts';
import { measure } from '../harness/measure.ts';
import { P2pSource } from '../load/p2p.ts';

/** About what a disk takes for a commit. */
const commitMs = 5;

/**
 * `runtime.accepted`: `core.accepted` without PostgreSQL. Batches are planned and encoded as for the store, and taken after
 * a few milliseconds, all of them: nothing competes with Node, and nothing waits for a disk. Of use for comparing two
 * builds, by the microseconds.
 */
export async function run(context: CaseContext): Promise<Measured> {
  const runtime = new Runtime({ log: new PatientLog() });
  await openWallets(runtime);
  const source = new P2pSource();
  const result = await measure(context, { inFlight, send: () => pay(runtime, source.next()) });
  return { figures: [{ name: 'runtime.accepted', value: result.perSecond, unit: 'payments/s' }], notes: result.notes };
}

/** Takes every batch, and keeps none: whoever is not in memory is not there. */
class PatientLog implements EventLog {
  readonly capabilities = { densePositions: true, hashChain: false, speculation: true, atomicAbsence: false };
  readonly #committer = new GroupCommitter({
    commit: (batch) => this.#commit(batch),
    handedOver: () => Promise.resolve(),
  });
  #position = 1;

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#committer.submit(unit, settled);
  }
  readLast = () => Promise.resolve(new Map());
  readStream = nothing;
  readAll = nothing;
  subscribe = nothing;
  lastPosition = () => Promise.resolve(this.#position - 1);
  close = () => this.#committer.close();

  async #commit(batch: Batch): Promise<CommitAnswer> {
    encodeBatch(batch);
    await sleep(commitMs);
    const position = this.#position;
    for (const { count } of batch.units) this.#position += count;
    const systemVersions = new Map(
      [...batch.expected].flatMap(([stream, expect]): [string, number][] => (expect === null ? [[stream, 0]] : [])),
    );
    return { outcome: 'committed', position, recordedAt: new Date(), systemVersions };
  }
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* nothing(): AsyncGenerator<never> {
  yield* [];
}
