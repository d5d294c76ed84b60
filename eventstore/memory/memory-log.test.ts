import { expect, test } from 'vitest';
import { append } from '../event-log.ts';
import { eventLogContract } from '../testing/contract.ts';
import { collect, exact, unitOf } from '../testing/samples.ts';
import { MemoryLog, MemoryStore } from './memory-log.ts';

/** Proves that the log in memory keeps the contract that the one on Postgres keeps, so that simulations may stand on it. */
eventLogContract(
  'the memory log',
  { capabilities: { densePositions: true, hashChain: true, speculation: true, atomicAbsence: true }, randomRuns: 500 },
  () => {
    const store = new MemoryStore();
    const logs: MemoryLog[] = [];
    return Promise.resolve({
      open(limits) {
        const log = new MemoryLog({ store, ...limits });
        logs.push(log);
        return log;
      },
      commits: () =>
        Promise.resolve(
          store.commits.map((commit) => ({
            ...commit,
            recordedAtMicros: BigInt(commit.recordedAt.getTime()) * 1000n,
          })),
        ),
      dispose: async () => {
        await Promise.all(logs.map((log) => log.close()));
      },
    });
  },
);

test('recorded time stands still while the clock goes back', async () => {
  const clock = [5_000, 3_000, 4_000, 6_000];
  const log = new MemoryLog({ now: () => new Date(clock.shift() ?? 0) });
  for (let version = 0; version < 4; version++) await append(log, unitOf([exact('a/1', version)]));
  const times = (await collect(log.readAll(0))).map((unit) => unit.recordedAt.getTime());
  expect(times).toEqual([5_000, 5_000, 5_000, 6_000]);
});
