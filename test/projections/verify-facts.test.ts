import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { append, PostgresLog, type Append } from '../../eventstore/index.ts';
import { verify } from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

/** What a faulty decider would leave: the chain is right, what it holds is not. The log takes it, because it knows no money. */
describe('verify finds facts that should never have been decided', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let paid = '';

  beforeEach(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    const scribe = new Scribe(log);
    for (const id of ['alice', 'bob']) scribe.open(id);
    scribe.cashIn('alice', 1_000n);
    paid = scribe.p2p('alice', 'bob', 300n);
    await scribe.written();
  });
  afterEach(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  const figures = { type: 'customer', currency: 'XOF', status: 'OPEN', held: '0', limit: '0' };
  const entry = (amount: string, after: object | undefined, more: object = {}) => ({
    type: 'EntryPosted',
    schema: 1,
    data: {
      paymentId: 'x',
      step: 'CAPTURED',
      amount,
      currency: 'XOF',
      ...(after && { after: { ...figures, ...after } }),
      ...more,
    },
  });
  /** Alice has 700 at version 3, bob 300 at version 2. */
  const alice = (...events: ReturnType<typeof entry>[]): Append => ({ stream: 'account/alice', expect: 3, events });
  const system = (amount: string): Append => ({
    stream: 'system/float:cash:XOF',
    expect: 'any',
    events: [entry(amount, undefined)],
  });

  /** Appends the unit; gives its first position, and what verify says. */
  async function afterUnit(...appends: Append[]) {
    const meta = { at: '2025-01-02T00:00:00Z', correlationId: 'c', principal: 'p' };
    const result = await append(log, { id: 'faulty', appends, meta });
    if (result.outcome !== 'committed') throw new Error(result.outcome);
    const { findings } = await verify({ pool, projections: [] });
    return { position: result.position, found: findings.map(({ check, position }) => ({ check, position })) };
  }

  it('entries that do not sum to zero', async () => {
    const { position, found } = await afterUnit(alice(entry('-100', { posted: '600' })), system('99'));
    expect(found).toEqual([{ check: 'entries', position }]);
  });

  it('a wallet that was taken below its limit', async () => {
    const { position, found } = await afterUnit(alice(entry('-800', { posted: '-100' })), system('800'));
    expect(found).toEqual([
      { check: 'limits', position },
      { check: 'wallets', position },
    ]);
  });

  it('but not one that was forced there, and is used for what makes it no worse', async () => {
    const { found } = await afterUnit(
      alice(entry('-800', { posted: '-100' }, { forced: true }), entry('50', { posted: '-50' })),
      system('750'),
    );
    expect(found).toEqual([]);
  });

  it('figures after a fact that do not follow from those before it', async () => {
    const { position, found } = await afterUnit(
      alice(entry('100', { posted: '800' }), entry('100', { posted: '901' })),
      system('-200'),
    );
    expect(new Set(found.map(({ check }) => check))).toEqual(new Set(['wallets']));
    expect(found[0]?.position).toBe(position + 1);
  });

  it('a limit that another fact changed on the way', async () => {
    const { position, found } = await afterUnit(alice(entry('100', { posted: '800', limit: '5' })), system('-100'));
    expect(found[0]).toEqual({ check: 'wallets', position });
  });

  it('a step that the payment machine does not take, and a fact of a payment that was never made', async () => {
    const step = { type: 'PaymentReversed', schema: 1, data: { reason: 'requested' } };
    const { position, found } = await afterUnit(
      { stream: `payment/${paid}`, expect: 4, events: [step] },
      { stream: 'payment/nobody', expect: 0, events: [step] },
    );
    expect(found).toEqual([
      { check: 'payments', position },
      { check: 'payments', position: position + 1 },
    ]);
  });

  it('a payout that is not what it was cut into, and a breaker that nothing opened', async () => {
    const created = (amount: string, slice: string) => ({
      type: 'PayoutCreated',
      schema: 1,
      data: {
        ...{ amount: '10', currency: 'XOF', payer: 'till', provider: 'bank:AB', beneficiary: 'b' },
        slices: [{ paymentId: slice, amount }],
      },
    });
    const closed = {
      type: 'BreakerClosed',
      schema: 1,
      data: { successes: 2, after: { state: 'CLOSED', failures: 0 } },
    };
    const { position, found } = await afterUnit(
      { stream: 'payout/short', expect: 0, events: [created('9', 'nobody')] },
      { stream: 'payout/unmade', expect: 0, events: [created('10', 'nobody')] },
      { stream: 'connector/momo-1', expect: 0, events: [closed] },
    );
    expect(found).toEqual([
      { check: 'slices', position },
      { check: 'payouts', position },
      { check: 'slices', position: position + 1 },
      { check: 'connectors', position: position + 2 },
    ]);
  });

  it('a fact that cannot be read', async () => {
    const { position, found } = await afterUnit(alice(entry('lots', { posted: '700' })));
    expect(found).toEqual([{ check: 'facts', position }]);
  });
});
