import { describe, expect, test } from 'vitest';
import { append } from '../event-log.ts';
import type { Contract } from './harness.ts';
import { collect, exact, submitted, unitOf } from './samples.ts';

/** Closing loses nothing that was taken in. */
export function closeContract({ start }: Contract): void {
  describe('closing', () => {
    test('what was taken in is settled first; what comes later is not taken in', async () => {
      const { log, harness } = await start({ batchLimits: { batchUnitsMax: 3 } });
      const told: string[] = [];
      for (let index = 0; index < 10; index++) {
        log.submit(unitOf([exact(`a/${index}`, 0)]), ({ outcome }) => told.push(outcome));
      }
      const closed = log.close();
      expect(log.submit(unitOf([exact('b/1', 0)]), () => told.push('never'))).toBe('overloaded');
      await closed;
      expect(told).toEqual(Array(10).fill('committed'));
      expect(log.submit(unitOf([exact('b/1', 0)]), () => told.push('never'))).toBe('overloaded');
      expect((await collect(harness.open().readAll(0))).length).toBe(10);
      expect(told.length).toBe(10);
    });

    test('a unit handed in from within the last `settled` is not taken in', async () => {
      const { log } = await start();
      let later: string | undefined;
      log.submit(unitOf([exact('a/1', 0)]), () => {
        later = log.submit(unitOf([exact('a/1', 1)]), () => (later = 'settled'));
      });
      await log.close();
      expect(later).toBe('overloaded');
    });

    test('twice is as good as once', async () => {
      const { log } = await start();
      const unit = submitted(log, unitOf([exact('a/1', 0)]));
      await Promise.all([log.close(), log.close()]);
      await log.close();
      expect(await unit).toMatchObject({ outcome: 'committed' });
    });

    test('a log that was never used closes, and leaves other logs of the store at work', async () => {
      const { log, harness } = await start();
      await harness.open().close();
      expect(await append(log, unitOf([exact('a/1', 0)]))).toMatchObject({ outcome: 'committed' });
    });
  });
}
