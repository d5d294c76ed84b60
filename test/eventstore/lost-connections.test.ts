import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { AppendResult, PostgresLog, Unit } from '../../eventstore/index.ts';
import { append, OutcomeUnknownError } from '../../eventstore/index.ts';
import { Deciders, violations } from '../../eventstore/testing/histories.ts';
import { anywhere, exact, nextTurn, submitted, unitOf } from '../../eventstore/testing/samples.ts';
import type { Fate } from './support/cutting-proxy.ts';
import { cuttingProxy } from './support/cutting-proxy.ts';
import { holdAppendLock, logDatabase } from './support/log-database.ts';
import { until } from './support/until.ts';

/** Proves that a batch whose answer is lost is asked for until it is known: written once, told once, as it was. */
describe('a connection that is lost during the call', () => {
  test.each<[Fate, number]>([
    ['cut-request', 0],
    ['cut-within-request', 0],
    ['cut-answer', 1],
  ])('%s: the identical batch is sent again and answered as the first', async (fate, commitsThen) => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const log = database.open({ config: proxy.config });
    await append(log, unitOf([exact('before/1', 0)]));
    proxy.fates.push(fate);
    const atStrike: number[] = [];
    proxy.onStrike = async () => void atStrike.push(await database.commits());
    await expectOneCopy(database, log);
    expect(atStrike).toEqual([1 + commitsThen]);
    expect(proxy.calls).toBe(3);
  });

  test('the answer never comes, on a connection that looks alive', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const troubles: (Error | undefined)[] = [];
    const log = database.open({
      config: proxy.config,
      answerTimeoutMs: 100,
      onTrouble: (error) => troubles.push(error),
    });
    proxy.fates.push('swallow-answer');
    await expectOneCopy(database, log);
    expect(troubles).toEqual([expect.any(Error), undefined]);
  });

  test('the first call still runs when the second arrives', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const lock = await holdAppendLock(database.admin);
    proxy.fates.push('cut-while-running');
    const observer = await logDatabase(database.config);
    proxy.onStrike = () => observer.untilAppendsWait(1);
    const log = database.open({ config: proxy.config });
    const copied = expectOneCopy(database, log);
    await observer.untilAppendsWait(2);
    await lock.release();
    await copied;
  });

  test('a store that takes no more of the next batch keeps nobody from hearing of the last', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const log = database.open({ config: proxy.config });
    proxy.fates.push('pass', 'stall-request');
    const stalled = new Promise<void>((resolve) => {
      proxy.onStrike = () => {
        resolve();
        return Promise.resolve();
      };
    });
    const first = append(log, unitOf([exact('a/1', 0)]));
    // More than any buffer between here and there takes at once.
    await nextTurn();
    const next = Array.from({ length: 60 }, (_, index) => append(log, unitOf([exact(`b/${index}`, 0, 400)])));
    await stalled;
    expect(await first).toMatchObject({ outcome: 'committed', position: 1 });
    expect(await database.commits()).toBe(1);
    proxy.release();
    for (const result of await Promise.all(next)) expect(result).toMatchObject({ outcome: 'committed' });
  });

  test('it is lost again and again', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    proxy.fates.push('cut-request', 'cut-answer', 'cut-within-request', 'cut-answer', 'cut-answer');
    await expectOneCopy(database, database.open({ config: proxy.config }));
    expect(proxy.calls).toBe(6);
  });

  test('a refusal whose answer is lost is a refusal still', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    await append(database.open(), unitOf([exact('a/1', 0)]));
    proxy.fates.push('cut-answer');
    const log = database.open({ config: proxy.config });
    expect(await append(log, unitOf([exact('a/1', 0)]))).toEqual({
      outcome: 'stale',
      stream: 'a/1',
      expected: 0,
      actual: 1,
    });
    expect(proxy.calls).toBe(2);
    expect(await database.commits()).toBe(1);
  });

  test('while nobody knows, nobody is told: neither the unit nor those that stand on it', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const troubles: (Error | undefined)[] = [];
    const log = database.open({ config: proxy.config, onTrouble: (error) => troubles.push(error) });
    proxy.fates.push('cut-answer');
    proxy.onStrike = () => {
      proxy.refusing = true;
      return Promise.resolve();
    };
    const told: string[] = [];
    const units = [unitOf([exact('a/1', 0)]), unitOf([exact('a/1', 1)]), unitOf([exact('b/1', 0)])];
    const results = units.map(async (unit) => {
      const result = await submitted(log, unit);
      told.push(result.outcome);
      return result;
    });
    await until(() => troubles.length >= 3);
    expect(told).toEqual([]);
    proxy.refusing = false;
    expect((await Promise.all(results)).map(({ outcome }) => outcome)).toEqual(['committed', 'committed', 'committed']);
    expect(troubles.at(-1)).toBeUndefined();
    expect(await database.commits()).toBe(1);
  });

  test('what was not written, and is overtaken by a foreign unit, falls with what stands on it', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    proxy.fates.push('cut-request');
    proxy.onStrike = async () => {
      await append(database.open(), unitOf([exact('a/1', 0)], 'foreign'));
    };
    const log = database.open({ config: proxy.config, batchLimits: { batchUnitsMax: 1 } });
    const results = await Promise.all([
      submitted(log, unitOf([exact('a/1', 0)])),
      submitted(log, unitOf([exact('a/1', 1), exact('b/1', 0)])),
      submitted(log, unitOf([exact('b/1', 1)])),
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['stale', 'stale', 'stale']);
    expect((await database.units()).map(({ id }) => id)).toEqual(['foreign']);
  });

  test('a server that refuses to be asked proves nothing: what it may have written has not failed', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const troubles: (Error | undefined)[] = [];
    const log = database.open({ config: proxy.config, onTrouble: (error) => troubles.push(error) });
    proxy.fates.push('cut-answer');
    proxy.onStrike = async () => {
      await database.admin.query('alter function eventstore.append rename to append_is_gone');
    };
    const result = submitted(log, unitOf([exact('a/1', 0)]));
    await until(
      () => troubles.filter((error) => error instanceof pg.DatabaseError && error.code === '42883').length >= 2,
    );
    await database.admin.query('alter function eventstore.append_is_gone rename to append');
    expect(await result).toMatchObject({ outcome: 'committed', position: 1 });
    expect(await database.commits()).toBe(1);
  });

  test('a batch that the server cannot write fails, also when it is asked a second time', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    await database.admin.query("alter table eventstore.log_p0 add constraint no_poison check (stream <> 'poison/1')");
    const log = database.open({ config: proxy.config });
    proxy.fates.push('cut-request');
    const result = await append(log, unitOf([exact('poison/1', 0)]));
    expect(result).toMatchObject({ outcome: 'failed', error: { code: '23514' } });
    expect(proxy.calls).toBe(2);
  });

  test('the server ends the session (pg_terminate_backend) while the call waits', async () => {
    const database = await logDatabase();
    const lock = await holdAppendLock(database.admin);
    const observer = await logDatabase(database.config);
    const log = database.open();
    const copied = expectOneCopy(database, log);
    for (let round = 0; round < 3; round++) {
      await observer.untilAppendsWait(1);
      await terminateAppenders(observer.admin);
    }
    await lock.release();
    await copied;
  });

  test('sessions are ended at random under load', async () => {
    const database = await logDatabase();
    const logs = [database.open(), database.open()];
    const deciders = new Deciders(3, logs);
    let terminated = 0;
    for (let step = 0; step < 300; step++) {
      const decider = step % 3;
      await deciders.look(decider);
      deciders.decide({
        decider,
        streams: [step % 4, (step + 1 + (step % 3)) % 4],
        events: 1,
        unconstrained: step % 2 === 0,
      });
      if (step % 5 === 0) await nextTurn();
      if (step % 20 === 0) terminated += await terminateAppenders(database.admin);
      while (deciders.pending > 10) await nextTurn();
    }
    while (deciders.pending > 0) await nextTurn();
    expect(violations(await database.units(), deciders.outcomes)).toEqual([]);
    expect(await database.findings()).toEqual([]);
    expect(terminated).toBeGreaterThan(5);
  });
});

describe('closing while the store is away', () => {
  test('a unit that may have been written is never told; one that was not sent has failed', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    const log = database.open({ config: proxy.config, closePatienceMs: 20, batchLimits: { batchUnitsMax: 1 } });
    proxy.fates.push('cut-answer');
    const struck = Promise.withResolvers<undefined>();
    proxy.onStrike = () => {
      proxy.refusing = true;
      struck.resolve(undefined);
      return Promise.resolve();
    };
    const told: [string, AppendResult][] = [];
    for (const unit of [unitOf([exact('a/1', 0)], 'in doubt'), unitOf([exact('b/1', 0)], 'not sent')]) {
      log.submit(unit, (result) => told.push([unit.id, result]));
    }
    await struck.promise;
    await expect(log.close()).rejects.toThrow(OutcomeUnknownError);
    expect(told).toEqual([['not sent', { outcome: 'failed', error: expect.any(Error) as Error }]]);
    expect(told[0]?.[1]).not.toMatchObject({ error: { code: 'OutcomeUnknown' } });
    expect((await database.units()).map(({ id }) => id)).toEqual(['in doubt']);
  });

  test('units that never left the process have failed, and it closes well', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    proxy.refusing = true;
    const log = database.open({ config: proxy.config, closePatienceMs: 20, batchLimits: { batchUnitsMax: 1 } });
    const results = [submitted(log, unitOf([exact('a/1', 0)])), submitted(log, unitOf([exact('b/1', 0)]))];
    await log.close();
    expect((await Promise.all(results)).map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(await database.commits()).toBe(0);
  });
});

/** Appends a chain of three units as one batch, and checks that it is in the log once, as it was told. */
async function expectOneCopy(database: Awaited<ReturnType<typeof logDatabase>>, log: PostgresLog): Promise<void> {
  const before = (await database.units()).length;
  const chain: Unit[] = [
    unitOf([exact('a/1', 0, 2), anywhere('system/s')]),
    unitOf([exact('a/1', 2), anywhere('system/s', 2)]),
    unitOf([exact('b/1', 0), anywhere('system/t')]),
  ];
  const results = await Promise.all(chain.map((unit) => submitted(log, unit)));
  const units = (await database.units()).slice(before);
  expect(results).toEqual(
    units.map(({ position, lastPosition, recordedAt }) => ({
      outcome: 'committed',
      position,
      lastPosition,
      recordedAt,
    })),
  );
  expect(units.map(({ id }) => id)).toEqual(chain.map(({ id }) => id));
  expect(await database.findings()).toEqual([]);
}

async function terminateAppenders(admin: pg.Client): Promise<number> {
  const { rowCount } = await admin.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where application_name = 'kora-log' and datname = current_database()`,
  );
  return rowCount ?? 0;
}
