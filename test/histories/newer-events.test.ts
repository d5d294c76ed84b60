import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, PostgresLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { StateReader } from '../../src/gateway/stream/read-state.ts';
import { accountTopic, parseTopic, type StreamTopic } from '../../src/gateway/stream/topics.ts';
import { problemOfError } from '../../src/gateway/http/errors.ts';
import { projections, runProjector, timelineOf, verify } from '../../src/projections/index.ts';
import { readCheckpoints } from '../../src/projections/postgres/checkpoints.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';
import { caller } from '../support/wallets.ts';

/**
 * Proves that a process which finds an event of a newer release says so and stops there: what needs the event gets no
 * answer, everything else goes on, and the log is left as it is for a process that knows it.
 */
describe('An event of a newer release', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;
  let paymentId = '';
  let newer = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    scribe.open('ada');
    scribe.open('ben');
    scribe.cashIn('ada', 1_000n);
    paymentId = scribe.pay({ kind: 'CASH_IN', payee: 'ben', provider: 'cash', amount: 5n, upTo: 'INITIATED' });
    await scribe.written();
    newer = (await log.lastPosition()) + 1;
    await append(log, {
      id: 'newer',
      appends: [
        {
          stream: `payment/${paymentId}`,
          expect: 1,
          events: [{ type: 'PaymentFailed', schema: 99, data: { outcome: 'in words that nobody knows yet' } }],
        },
      ],
      meta: { at: '2025-01-01T00:00:00.000Z', correlationId: 'newer', principal: 'service:test' },
    });
    scribe.p2p('ada', 'ben', 10n);
    await scribe.written();
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  const theFault = () =>
    expect.objectContaining({
      code: 'UnknownEventVersion',
      position: newer,
      message: `PaymentFailed at position ${newer} is of version 99, this process knows version 2: upgrade this process`,
    }) as Error;

  it('keeps its payment from being decided on, and no other', async () => {
    const runtime = new Runtime({ log });
    const step = { type: 'Authorize', idempotencyKey: 'k', paymentId } as const;
    const fault = await runtime.execute(step, caller).then(undefined, (error: unknown) => error);
    expect(fault).toEqual(theFault());
    // Another process can answer.
    expect(problemOfError(fault, 'POST').problem).toMatchObject({ problem: 'Unavailable' });
    await expect(runtime.payment(paymentId)).rejects.toThrow(theFault());
    const pay = { type: 'Pay', kind: 'P2P', payer: 'ada', payee: 'ben', amount: 1n, currency: 'XOF' } as const;
    expect(await runtime.execute({ ...pay, upTo: 'SETTLED', idempotencyKey: 'p' }, caller)).toMatchObject({ ok: true });
  });

  it('is not told to watchers, and not shown in a timeline', async () => {
    const states = new StateReader(log);
    await expect(states.read(parseTopic(`payment/${paymentId}`) as StreamTopic)).rejects.toThrow(theFault());
    expect((await states.read(accountTopic('ada'))).state).toMatchObject({ accountId: 'ada' });
    await expect(timelineOf(pool, paymentId)).rejects.toThrow(theFault());
  });

  it('stops the projections that read it, right before it', async () => {
    const stop = new AbortController();
    const run = runProjector({ log, pool, projections, signal: stop.signal, lingerMs: 1 });
    const end = await log.lastPosition();
    let stopped: Record<string, unknown> = {};
    for (let done = false; !done;) {
      await sleep(20);
      const checkpoints = await readCheckpoints(pool);
      done =
        checkpoints.length > 0 && checkpoints.every(({ error, position }) => error !== undefined || position >= end);
      stopped = Object.fromEntries(
        checkpoints.map(({ projection, error, position }) => [projection, error ?? position]),
      );
    }
    stop.abort();
    await run;
    const said = expect.stringContaining('this process knows version 2: upgrade this process') as string;
    const others = { accounts: end, trial_balance: end, connector_states: end };
    expect(stopped).toEqual({ ...others, payments: said, deadlines: said, instructions: said, payouts: said });
  });

  it('ends verify: what cannot be read cannot be judged', async () => {
    await expect(verify({ pool, projections })).rejects.toThrow(theFault());
  });
});
