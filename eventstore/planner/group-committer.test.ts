import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { AppendResult, RecordedUnit, StreamId, Unit } from '../event-log.ts';
import { MemoryStore } from '../memory/memory-log.ts';
import type { Decision, DecidersLog } from '../testing/histories.ts';
import { Deciders, decisions, violations } from '../testing/histories.ts';
import { anywhere, exact, nextTurn, unitOf } from '../testing/samples.ts';
import type { Batch } from './batch-planner.ts';
import type { CommitAnswer, GroupCommitterOptions } from './group-committer.ts';
import { GroupCommitter } from './group-committer.ts';

/** Proves what becomes of units while commits begin, run, answer, fail and stay unknown, in any interleaving. */
describe('group commit', () => {
  test('units of one turn share a commit; those that arrive during it share the next', async () => {
    const process = new Process(new MemoryStore());
    for (const id of ['1', '2']) process.submit(unitOf([exact(`a/${id}`, 0)]));
    process.begin();
    for (const id of ['3', '4', '5']) process.submit(unitOf([exact(`a/${id}`, 0)]));
    expect(process.inFlight?.units.length).toBe(2);
    await process.commit();
    expect(process.inFlight?.units.length).toBe(3);
  });

  test('the next commit is under way before anybody is told of the last', async () => {
    const process = new Process(new MemoryStore());
    let inFlight: Batch | undefined;
    process.committer.submit(unitOf([exact('a/1', 0)], 'first'), () => (inFlight = process.inFlight));
    process.begin();
    process.submit(unitOf([exact('a/1', 1)], 'second'));
    await process.commit();
    expect(inFlight?.units.map(({ unit }) => unit.id)).toEqual(['second']);
  });

  test('nobody is told of the last commit before the next one is handed over; what comes of that waits as well', async () => {
    const handOvers: (() => void)[] = [];
    const process = new Process(new MemoryStore(), {
      handedOver: () => new Promise((resolve) => handOvers.push(resolve)),
    });
    const [first] = process.submit(unitOf([exact('a/1', 0)]));
    process.begin();
    const [second] = process.submit(unitOf([exact('a/1', 1)]));
    await process.commit();
    expect(first?.result).toBeUndefined();
    // The store is faster than its socket is read: the order of the news stays that of the log.
    await process.commit();
    expect(second?.result).toBeUndefined();
    const closing = process.committer.close();
    handOvers.forEach((handedOver) => handedOver());
    await nextTurn();
    expect(first?.result).toMatchObject({ outcome: 'committed', position: 1 });
    expect(second?.result).toMatchObject({ outcome: 'committed', position: 2 });
    await closing;
  });

  test('where nothing is to be handed over, the last commit is told at once', async () => {
    const process = new Process(new MemoryStore(), { handedOver: () => new Promise(() => undefined) });
    const [only] = process.submit(unitOf([exact('a/1', 0)]));
    process.begin();
    await process.commit();
    expect(only?.result).toMatchObject({ outcome: 'committed' });
  });

  test('units that became durable are published after their deciders were told, with their versions', async () => {
    const store = new MemoryStore();
    const news: string[] = [];
    const process = new Process(store, {
      committed: (batch) => batch.recorded().forEach((unit) => news.push(`published ${unit.id}`)),
    });
    for (const version of [0, 1]) {
      process.committer.submit(unitOf([exact('a/1', version), anywhere('system/s', 2)], `${version}`), ({ outcome }) =>
        news.push(outcome),
      );
    }
    process.begin();
    await process.commit();
    expect(news).toEqual(['committed', 'committed', 'published 0', 'published 1']);
  });

  test('what is published is what the store holds, unconstrained streams with several units included', async () => {
    const store = new MemoryStore();
    const published: RecordedUnit[] = [];
    const process = new Process(store, { committed: (batch) => published.push(...batch.recorded()) });
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 4; index++) {
        process.submit(
          unitOf([anywhere('system/s', 1 + index), exact(`a/${index}`, round), anywhere(`system/${index % 2}`)]),
        );
      }
      process.begin();
      await process.commit();
    }
    expect(published).toEqual(store.units);
  });

  test('what is refused is put right in the same turn and goes into the next commit', async () => {
    const store = new MemoryStore();
    const process = new Process(store);
    await new Process(store).run(unitOf([exact('a/1', 0)]));
    const outcome = Promise.withResolvers<AppendResult>();
    process.committer.submit(unitOf([exact('a/1', 0)]), (result) => {
      if (result.outcome === 'stale') {
        queueMicrotask(() => process.committer.submit(unitOf([exact('a/1', result.actual ?? 0)]), outcome.resolve));
      }
    });
    process.begin();
    await process.commit();
    process.begin();
    await process.commit();
    expect(await outcome.promise).toMatchObject({ outcome: 'committed', position: 2 });
  });

  test('a commit that throws has failed for good: its units fall with all that waits on them', async () => {
    const process = new Process(new MemoryStore());
    const [one] = process.submit(unitOf([exact('a/1', 0)]));
    process.begin();
    const [onOne, bystander] = process.submit(unitOf([exact('a/1', 1)]), unitOf([exact('b/1', 0)]));
    const broken = new Error('disk on fire');
    await process.answer({ outcome: 'failed', error: broken });
    expect(one?.result).toEqual({ outcome: 'failed', error: broken });
    expect(onOne?.result).toEqual({ outcome: 'failed', error: broken });
    process.begin();
    await process.commit();
    expect(bystander?.result).toMatchObject({ outcome: 'committed', position: 1 });
  });

  test('one who throws when told is heard of, and keeps nobody else from being told', async () => {
    const process = new Process(new MemoryStore());
    const [heard, restore] = uncaughtExceptions();
    try {
      const bad = new Error('a decider broke');
      const throwing = (): never => {
        throw bad;
      };
      process.committer.submit(unitOf([exact('a/1', 0)]), throwing);
      const [second] = process.submit(unitOf([exact('b/1', 0)]));
      process.begin();
      process.committer.submit(unitOf([exact('a/1', 0)]), throwing);
      const [rival] = process.submit(unitOf([exact('a/1', 0)]));
      await process.commit();
      expect(second?.result?.outcome).toBe('committed');
      await process.commit();
      expect(rival?.result?.outcome).toBe('stale');
      expect(heard).toEqual([bad, bad]);
      const [later] = process.submit(unitOf([exact('c/1', 0)]));
      process.begin();
      await process.commit();
      expect(later?.result?.outcome).toBe('committed');
    } finally {
      restore();
    }
  });

  test('closing waits for what is under way and what waits', async () => {
    const process = new Process(new MemoryStore(), { batchLimits: { batchUnitsMax: 1 } });
    const units = process.submit(unitOf([exact('a/1', 0)]), unitOf([exact('a/2', 0)]));
    let closed = false;
    const closing = process.committer.close().then(() => (closed = true));
    process.begin();
    await process.commit();
    expect(closed).toBe(false);
    await process.commit();
    await closing;
    expect(units.map((unit) => unit.result?.outcome)).toEqual(['committed', 'committed']);
  });

  test('an outcome that stays unknown is told to nobody; what waited behind it has certainly failed', async () => {
    const process = new Process(new MemoryStore());
    const [inDoubt] = process.submit(unitOf([exact('a/1', 0)]));
    process.begin();
    const [behind, bystander] = process.submit(unitOf([exact('a/1', 1)]), unitOf([exact('b/1', 0)]));
    const closing = process.committer.close();
    const error = new Error('nobody knows');
    const closed = expect(closing).rejects.toBe(error);
    await process.answer({ outcome: 'unknown', error });
    await closed;
    expect(inDoubt?.result).toBeUndefined();
    expect(behind?.result).toMatchObject({ outcome: 'failed', error: { cause: error } });
    expect(bystander?.result).toMatchObject({ outcome: 'failed', error: { cause: error } });
    await expect(process.committer.close()).rejects.toBe(error);
  });
});

describe('random interleavings of several processes', () => {
  const processes = 3;
  const step = fc.oneof(
    // once-told: decided within `settled` of the next unit that is committed, or in a microtask after one that falls.
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('decide' as const, 'decide' as const, 'once-told' as const),
        decision: decisions,
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        // begin: a batch is taken; write: the store does its part; resend: it is asked again; answer: the process hears of it.
        do: fc.constantFrom(
          'begin' as const,
          'write' as const,
          'write' as const,
          'resend' as const,
          'answer' as const,
          'answer' as const,
          'fail' as const,
        ),
        process: fc.nat({ max: processes - 1 }),
      }),
    },
  );

  test.prop([fc.array(step, { minLength: 10, maxLength: 120 }), fc.integer({ min: 1, max: 6 })], { numRuns: 1_500 })(
    'each unit stands on what it was decided on; what was told is what is in the log',
    async (steps, batchUnitsMax) => {
      const store = new MemoryStore();
      const all = Array.from({ length: processes }, () => new Process(store, { batchLimits: { batchUnitsMax } }));
      // Two deciders in the first process: rivals that do not know of each other.
      const onceTold: Decision[] = [];
      const deciders: Deciders = new Deciders(
        processes + 1,
        all.map((process) => process.log),
        {
          settled(_, { outcome }) {
            const decision = onceTold.shift();
            if (decision === undefined) return;
            if (outcome === 'committed') deciders.decide(decision);
            else queueMicrotask(() => deciders.decide(decision));
          },
        },
      );
      for (const one of steps) {
        if ('decision' in one) {
          if (one.do === 'once-told') {
            onceTold.push(one.decision);
          } else {
            await deciders.look(one.decision.decider);
            deciders.decide(one.decision);
          }
          continue;
        }
        const process = all[one.process] as Process;
        if (one.do === 'begin') process.begin();
        else if (one.do === 'write' || one.do === 'resend') process.write();
        else if (one.do === 'answer') await process.hear();
        // Only what the store has not done can fail for certain.
        else if (!process.written) await process.answer({ outcome: 'failed', error: new Error('failed') });
      }
      for (let rounds = 0; deciders.pending > 0 && rounds < 1_000; rounds++) {
        for (const process of all) {
          process.begin();
          if (process.inFlight !== undefined) await process.commit();
        }
      }
      expect(violations(store.units, deciders.outcomes)).toEqual([]);
    },
  );
});

interface Watched {
  readonly unit: Unit;
  result?: AppendResult;
}

/** A committer whose every step is taken by the test. The store remembers batches, as `eventstore.append` does. */
class Process {
  readonly committer: GroupCommitter;
  readonly log: DecidersLog;
  readonly #store: MemoryStore;
  readonly #work: (() => void)[] = [];
  #call: { batch: Batch; answer: (answer: CommitAnswer) => void; written?: CommitAnswer } | undefined;

  constructor(store: MemoryStore, options: Partial<GroupCommitterOptions> = {}) {
    this.#store = store;
    this.committer = new GroupCommitter({
      commit: (batch) => new Promise((answer) => (this.#call = { batch, answer })),
      schedule: (work) => this.#work.push(work),
      ...options,
    });
    this.log = {
      submit: (unit, settled) => this.committer.submit(unit, settled),
      readLast: (streams: readonly StreamId[]) =>
        Promise.resolve(
          new Map(
            streams.flatMap((stream) => store.streams.get(stream)?.slice(-1) ?? []).map((row) => [row.stream, row]),
          ),
        ),
    };
  }

  get inFlight(): Batch | undefined {
    return this.#call?.batch;
  }

  get written(): boolean {
    return this.#call?.written?.outcome === 'committed';
  }

  submit(...units: Unit[]): Watched[] {
    return units.map((unit) => {
      const watched: Watched = { unit };
      this.committer.submit(unit, (result) => (watched.result = result));
      return watched;
    });
  }

  begin(): void {
    this.#work.shift()?.();
  }

  /** The store works on the call; again and again if it is asked again: only what is committed stays answered. */
  write(): void {
    if (this.#call === undefined || this.written) return;
    this.#call.written = this.#store.commit(this.#call.batch, new Date(0));
  }

  async hear(): Promise<void> {
    if (this.#call?.written !== undefined) await this.answer(this.#call.written);
  }

  async answer(answer: CommitAnswer): Promise<void> {
    const call = this.#call;
    this.#call = undefined;
    call?.answer(answer);
    await nextTurn();
  }

  async commit(): Promise<void> {
    this.write();
    await this.hear();
  }

  async run(...units: Unit[]): Promise<void> {
    this.submit(...units);
    this.begin();
    await this.commit();
  }
}

/** What is thrown where nobody can catch it, instead of ending the test run. */
function uncaughtExceptions(): [heard: unknown[], restore: () => void] {
  const heard: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => heard.push(error));
  return [
    heard,
    () => {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    },
  ];
}
