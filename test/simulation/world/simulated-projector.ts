import type { EventLog } from '../../../eventstore/index.ts';
import { Gatherer, ProjectionFault, type Member } from '../../../src/projections/batch.ts';
import { accountsProjection } from '../../../src/projections/accounts.projection.ts';
import { deadlinesProjection } from '../../../src/projections/deadlines.projection.ts';
import { instructionsProjection } from '../../../src/projections/instructions.projection.ts';
import { paymentsProjection } from '../../../src/projections/payments.projection.ts';
import { isFinal } from '../../../src/projections/postgres/writer.ts';
import { trialBalanceProjection } from '../../../src/projections/trial-balance.projection.ts';
import type { SimulatedDatabase } from './database.ts';
import type { Random } from './random.ts';
import type { Owner, Simulator } from './simulator.ts';

export const simulatedProjections = [
  accountsProjection,
  deadlinesProjection,
  instructionsProjection,
  paymentsProjection,
  trialBalanceProjection,
] as const;

interface ProjectorOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly simulator: Simulator;
  readonly database: SimulatedDatabase;
  readonly random: Random;
  readonly owner: Owner;
  readonly signal: AbortSignal;
  readonly projected: () => void;
}

/** The loop of `src/projections/projector.ts`, over tables in memory; its folds, batches and gatherer are the real ones. */
export async function followAndWrite(options: ProjectorOptions): Promise<void> {
  const { simulator, random, owner, signal } = options;
  while (!signal.aborted) {
    try {
      await round(options);
    } catch (error) {
      // What passes is tried again; what does not has stopped a projection for good.
      if (error instanceof ProjectionFault || isFinal(error)) throw error;
    }
    await simulator.sleep(random.between(50, 300), owner);
  }
}

/** Ends when another process has moved a checkpoint. */
async function round({ log, simulator, database, random, owner, signal, projected }: ProjectorOptions): Promise<void> {
  const way = (): Promise<void> => simulator.sleep(random.between(0.1, 4), owner);
  const statement = async (): Promise<void> => {
    await way();
    database.mustHaveRoom();
  };
  await way();
  database.mustAnswer();
  const { projections } = database;
  const members: Member[] = simulatedProjections.map((projection) => ({
    projection,
    position: projections.checkpoint(projection.name),
  }));
  const over = new AbortController();
  const end = (): void => over.abort();
  signal.addEventListener('abort', end);
  const gatherer = new Gatherer(members, random.pick([1, 3, 100]), over.signal);
  const gather = async (): Promise<void> => {
    const from = Math.min(...members.map(({ position }) => position));
    for await (const unit of log.subscribe(from, over.signal)) {
      // Only the part that still lives goes on.
      if (!owner.alive) return;
      const full = gatherer.add(unit);
      if (full !== undefined) await full;
    }
  };
  const write = async (): Promise<void> => {
    for (;;) {
      const batch = await gatherer.next(0);
      if (batch === undefined || !owner.alive) return;
      if ((await projections.writeBatch(batch, statement)) === 'fenced') return;
      projected();
    }
  };
  try {
    await Promise.all([gather().finally(end), write().finally(end)]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
