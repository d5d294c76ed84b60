import { describe, expect, test } from 'vitest';
import type { AppendResult, EventLog, RecordedUnit, Unit } from '../event-log.ts';
import { append } from '../event-log.ts';
import type { Contract } from './harness.ts';
import { anywhere, collect, event, exact, submitted, unitOf } from './samples.ts';

/** Units may stand on units that are not durable yet, and fall with them. */
export function speculationContract({ start, needs }: Contract): void {
  describe('speculation', () => {
    needs('speculation', 'a chain of units on one stream is handed in at once and committed in order', async () => {
      const { log } = await start({ batchLimits: { batchUnitsMax: 16 } });
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, version) => append(log, unitOf([exact('a/1', version), anywhere('system/s')]))),
      );
      expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['committed']));
      const positions = results.map((result) => (result.outcome === 'committed' ? result.position : 0));
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(new Set(positions).size).toBe(100);
    });

    needs('speculation', 'of two chains that part, the first one stays and the other falls whole', async () => {
      const { log } = await start();
      const outcomes = await outcomesOf(log, [
        unitOf([exact('a/1', 0)]),
        unitOf([exact('a/1', 1), exact('b/1', 0)]),
        unitOf([exact('a/1', 1), exact('c/1', 0)]),
        unitOf([exact('c/1', 1), exact('d/1', 0)]),
        unitOf([exact('d/1', 1)]),
        unitOf([exact('b/1', 1)]),
      ]);
      expect(outcomes).toEqual(['committed', 'committed', 'stale', 'stale', 'stale', 'committed']);
      expect(await log.readLast(['c/1', 'd/1'])).toEqual(new Map());
    });

    for (const { where, batchUnitsMax } of [
      { where: 'in the same batch', batchUnitsMax: 1_000 },
      { where: 'in the queue behind it', batchUnitsMax: 1 },
    ]) {
      // The interleaving of the design: balance 100 at v5, A (−30) expects 5, B was decided on A (−60) and expects 6, a
      // foreign −80 becomes v6. A is refused; B's 6 matches the foreign event, and would leave −40.
      needs('speculation', `a unit that stood on a refused one ${where} falls with it, though it matches`, async () => {
        const { log, harness } = await start({ batchLimits: { batchUnitsMax } });
        await append(log, wallet(0, [100, 0, 0, 0, 0]));
        expect(await append(harness.open(), wallet(5, [-80]))).toMatchObject({ outcome: 'committed' });
        const [a, b, bystander] = await Promise.all([
          submitted(log, wallet(5, [-30])),
          submitted(log, wallet(6, [-60])),
          submitted(log, unitOf([exact('bystander/1', 0)])),
        ]);
        expect(a).toEqual({ outcome: 'stale', stream: 'wallet/1', expected: 5, actual: 6 });
        expect(b).toMatchObject({ outcome: 'stale', stream: 'wallet/1', expected: 6 });
        expect(bystander).toMatchObject({ outcome: 'committed' });
        expect(balance(await collect(log.readAll(0)))).toBe(20);
      });

      needs('speculation', `refusal goes on over streams that the refused share ${where}`, async () => {
        const { log, harness } = await start({ batchLimits: { batchUnitsMax } });
        await append(harness.open(), unitOf([exact('a/1', 0)]));
        await append(harness.open(), unitOf([exact('c/1', 0)]));
        const results = await Promise.all([
          submitted(log, unitOf([exact('a/1', 0), exact('b/1', 0)])),
          submitted(log, unitOf([exact('b/1', 1), exact('c/1', 1)])),
          submitted(log, unitOf([exact('c/1', 2), anywhere('system/s')])),
          submitted(log, unitOf([exact('e/1', 0), anywhere('system/s')])),
        ]);
        expect(results.map((result) => result.outcome)).toEqual(['stale', 'stale', 'stale', 'committed']);
        // Only standing on another one, these two have no version of their own to be told.
        expect(results[1]).toEqual({ outcome: 'stale', stream: 'b/1', expected: 1 });
        expect(results[2]).toEqual({ outcome: 'stale', stream: 'c/1', expected: 2 });
      });
    }

    test('nobody is told within `submit`, everybody once, and all that falls together in one go', async () => {
      const { log, harness } = await start();
      await append(harness.open(), unitOf([exact('a/1', 0)]));
      const told: string[] = [];
      let toldInOneGo: string[] | undefined;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const units = [exact('a/1', 0), exact('a/1', 1), exact('a/1', 2), exact('b/1', 0)].map((one) => unitOf([one]));
      for (const [index, unit] of units.entries()) {
        log.submit(unit, ({ outcome }) => {
          told.push(`${index} ${outcome}`);
          if (index === 0) queueMicrotask(() => (toldInOneGo = [...told]));
          if (index === 3) resolve(undefined);
        });
        expect(told).toEqual([]);
      }
      await promise;
      await append(log, unitOf([exact('c/1', 0)]));
      expect(toldInOneGo).toEqual(['0 stale', '1 stale', '2 stale']);
      expect(told).toEqual(['0 stale', '1 stale', '2 stale', '3 committed']);
    });

    needs('speculation', 'what is handed in from within `settled` of a commit is taken in order', async () => {
      const { log } = await start();
      const results: AppendResult[] = [];
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const next = (version: number): void => {
        log.submit(unitOf([exact('a/1', version)]), (result) => {
          results.push(result);
          if (version < 20) next(version + 1);
          else resolve(undefined);
        });
      };
      next(0);
      await promise;
      expect(results.map(({ outcome }) => outcome)).toEqual(Array(21).fill('committed'));
      expect((await log.readLast(['a/1'])).get('a/1')?.version).toBe(21);
    });

    test('nothing can be handed in while those that fall are told: it could rest on one that has not been told', async () => {
      const { log, harness } = await start();
      await append(harness.open(), unitOf([exact('a/1', 0)]));
      // A falls and takes along B. When only A has been told, a decider may still believe in what B wrote to b/1.
      const { promise, resolve } = Promise.withResolvers<unknown>();
      log.submit(unitOf([exact('a/1', 0)], 'A'), () => {
        try {
          resolve(log.submit(unitOf([exact('b/1', 1)], 'C'), () => undefined));
        } catch (error) {
          queueMicrotask(() => resolve([error, log.submit(unitOf([exact('c/1', 0)], 'D'), () => undefined)]));
        }
      });
      const b = await submitted(log, unitOf([exact('a/1', 1), exact('b/1', 0)], 'B'));
      expect(b.outcome).toBe('stale');
      expect(await promise).toEqual([expect.any(Error), 'queued']);
    });
  });
}

async function outcomesOf(log: EventLog, units: readonly Unit[]): Promise<string[]> {
  return (await Promise.all(units.map((unit) => submitted(log, unit)))).map((result) => result.outcome);
}

function wallet(expected: number, amounts: readonly number[]): Unit {
  return unitOf([{ stream: 'wallet/1', expect: expected, events: amounts.map((amount) => event({ amount })) }]);
}

function balance(units: readonly RecordedUnit[]): number {
  return units
    .flatMap((unit) => unit.rows)
    .filter((row) => row.stream === 'wallet/1')
    .flatMap((row) => row.events.map((one) => (one.data as { amount: number }).amount))
    .reduce((sum, amount) => sum + amount, 0);
}
