import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import type { StreamDoor } from '../../src/gateway/stream/index.ts';
import { paymentIdOf } from '../../src/kernel/ids.ts';
import { caller, cashIn, must, openWallets, p2p } from '../support/wallets.ts';
import { told } from '../support/instructions.ts';
import { StreamClient } from './support/client.ts';
import { openDoor } from './support/door.ts';
import { expectedOf, seen } from './support/oracle.ts';

/** Proves what a client sees of each kind of topic: a snapshot where there is one, then every event, each once. */
let log: MemoryLog;
let runtime: Runtime;
let door: StreamDoor;
let client: StreamClient;

beforeEach(async () => {
  log = new MemoryLog();
  runtime = new Runtime({ log });
  await openWallets(runtime, { ada: 1_000n, ben: 0n });
  door = await openDoor(log);
  client = await StreamClient.connect(door.port);
});
afterEach(async () => {
  await client.close();
  await door.close();
});

const initiate = (idempotencyKey: string) => ({
  ...p2p('ada', 'ben', 100n, idempotencyKey),
  upTo: 'AUTHORIZED' as const,
});
const idOf = (key: string): string => paymentIdOf(caller.tenant, caller.principal, key);

describe('payment/<id>', () => {
  it('begins with the payment as it is, then each unit with its events and the state after', async () => {
    const { payment } = await must(runtime, initiate('k1'));
    const topic = `payment/${idOf('k1')}`;
    const state = JSON.parse(JSON.stringify(payment)) as unknown;
    expect(await client.snapshot(topic)).toMatchObject({ topic, version: 2, state });
    await must(runtime, { type: 'Capture', idempotencyKey: 'k2', paymentId: idOf('k1') });
    await client.until(() => client.units(topic).length > 0);
    const [unit] = client.units(topic);
    expect(unit).toMatchObject({
      topic,
      correlationId: caller.correlationId,
      events: [
        { version: 3, type: 'PaymentCaptured', status: 'CAPTURED', paymentId: idOf('k1'), data: { amount: '100' } },
        { version: 4, type: 'PaymentSettled', status: 'SETTLED', data: { fee: '0', providerFee: '0' } },
      ],
    });
    expect(unit?.position).toBe(unit?.events.at(-1)?.position);
    expect(unit?.at).toBe(log.store.units.at(-1)?.recordedAt.toISOString());
    expect(unit?.events[0]?.data).not.toHaveProperty('fingerprint');
  });

  it('that does not exist begins with null, and its creation is told', async () => {
    const topic = `payment/${idOf('later')}`;
    expect(await client.snapshot(topic)).toEqual({ topic, position: log.store.last, version: 0, state: null });
    await must(runtime, p2p('ada', 'ben', 5n, 'later'));
    await client.until(() => client.units(topic).length > 0);
    expect(client.events(topic).map(({ type, status }) => [type, status])).toEqual([
      ['PaymentInitiated', 'INITIATED'],
      ['PaymentAuthorized', 'AUTHORIZED'],
      ['PaymentCaptured', 'CAPTURED'],
      ['PaymentSettled', 'SETTLED'],
    ]);
  });

  it('with a position goes on after it, without a snapshot, in the middle of a unit too', async () => {
    await must(runtime, p2p('ada', 'ben', 5n, 'k1'));
    const topic = `payment/${idOf('k1')}`;
    const all = await expectedOf(log, topic);
    await client.live(topic, all[1]?.position ?? 0);
    expect(seen(client.events(topic))).toEqual(all.slice(2));
    expect(client.received.some(({ snapshot }) => snapshot !== undefined)).toBe(false);
  });
});

describe('account/<id>', () => {
  it('of a wallet begins with its figures, then each fact with the figures after it', async () => {
    expect(await client.snapshot('account/ada')).toMatchObject({
      version: 2,
      state: { accountId: 'ada', type: 'customer', status: 'OPEN', posted: '1000', held: '0', available: '1000' },
    });
    await must(runtime, p2p('ada', 'ben', 100n, 'k1'));
    await client.until(() => client.units('account/ada').length > 0);
    expect(client.events('account/ada')).toMatchObject([
      {
        version: 3,
        type: 'EntryPosted',
        status: 'OPEN',
        accountId: 'ada',
        data: { amount: '-100', paymentId: idOf('k1'), after: { posted: '900' } },
      },
    ]);
  });

  it('of a system account begins with the sum of its entries, however often it is asked for', async () => {
    const topic = 'account/float:cash:XOF';
    expect(await client.snapshot(topic)).toMatchObject({
      version: 1,
      state: { accountId: 'float:cash:XOF', type: 'system', currency: 'XOF', posted: '-1000' },
    });
    await must(runtime, cashIn('ben', 50n));
    await client.until(() => client.units(topic).length > 0);
    expect(client.events(topic)).toMatchObject([{ version: 2, type: 'EntryPosted', data: { amount: '-50' } }]);
    const other = await StreamClient.connect(door.port);
    expect(await other.snapshot(topic)).toMatchObject({ version: 2, state: { posted: '-1050' } });
    await other.close();
  });

  it('that does not exist begins with null, and is told when it is opened', async () => {
    expect(await client.snapshot('account/cleo')).toMatchObject({ version: 0, state: null });
    await openWallets(runtime, { cleo: 0n });
    await client.until(() => client.units('account/cleo').length > 0);
    expect(client.events('account/cleo')).toMatchObject([{ type: 'AccountOpened', version: 1, status: 'OPEN' }]);
  });
});

describe('payout/<id>', () => {
  it('begins with the payout as its history has it, then tells what happens to it; its slices are payments', async () => {
    const of = { accountId: 'till', walletType: 'treasury', currency: 'XOF' } as const;
    await must(runtime, { type: 'OpenAccount', idempotencyKey: 'till', ...of });
    await must(runtime, { ...cashIn('till', 500n, 'funds'), kind: 'FUNDING' });
    const topic = `payout/${idOf('o1')}`;
    expect(await client.snapshot(topic)).toMatchObject({ topic, version: 0, state: null });
    const { payout } = await must(runtime, {
      ...{ type: 'CreatePayout', idempotencyKey: 'o1', amount: 300n, currency: 'XOF' },
      ...{ payer: 'till', provider: 'bank:AB', beneficiary: 'ben-1' },
    });
    await must(runtime, { type: 'CancelPayout', idempotencyKey: 'o2', payoutId: idOf('o1'), reason: 'not wanted' });
    await client.until(() => client.events(topic).length === 2);
    const slice = payout?.slices[0]?.paymentId ?? '';
    expect(client.events(topic)).toMatchObject([
      {
        version: 1,
        payoutId: idOf('o1'),
        type: 'PayoutCreated',
        status: 'OPEN',
        data: { slices: [{ paymentId: slice }] },
      },
      { version: 2, type: 'PayoutCancelled', status: 'CANCELLED', data: { reason: 'not wanted', slices: [slice] } },
    ]);
    expect(seen(client.events(topic))).toEqual(await expectedOf(log, topic));
    const other = await StreamClient.connect(door.port);
    expect(await other.snapshot(topic)).toMatchObject({
      version: 2,
      state: { state: 'CANCELLED', cancelled: 'not wanted' },
    });
    await other.live(`payment/${slice}`, 0);
    expect(other.events(`payment/${slice}`).map(({ type, status }) => [type, status])).toEqual([
      ['PaymentInitiated', 'INITIATED'],
      ['PaymentAuthorized', 'AUTHORIZED'],
      ['PaymentFailed', 'FAILED'],
    ]);
    await other.close();
  });
});

describe('connector/<id>', () => {
  it('begins with its breaker, closed where nothing was ever written, then tells how that changes', async () => {
    const topic = 'connector/momo-1';
    expect(await client.snapshot(topic)).toMatchObject({
      version: 0,
      state: { connectorId: 'momo-1', state: 'CLOSED', failures: 0, forced: false },
    });
    const force = (state: 'OPEN' | 'CLOSED') =>
      runtime.operate(
        { type: 'ForceBreaker', idempotencyKey: state, connectorId: 'momo-1', state, reason: 'drill' },
        caller,
      );
    expect([await force('OPEN'), await force('CLOSED')]).toMatchObject([{ ok: true }, { ok: true }]);
    await client.until(() => client.events(topic).length === 2);
    expect(client.events(topic)).toMatchObject([
      { version: 1, connectorId: 'momo-1', type: 'BreakerForced', status: 'OPEN', data: { after: { forced: true } } },
      { version: 2, type: 'BreakerForced', status: 'CLOSED', data: { reason: 'drill' } },
    ]);
    const other = await StreamClient.connect(door.port);
    expect(await other.snapshot(topic)).toMatchObject({ version: 2, state: { state: 'CLOSED' } });
    await other.close();
  });
});

describe('an event that leaves a payment as it is', () => {
  it('says no status where the payment may be in several', async () => {
    const out = { ...p2p('ada', 'ben', 100n, 'out'), kind: 'CASH_OUT', upTo: 'AUTHORIZED', provider: 'cash' } as const;
    const { payee: _payee, ...cashOut } = out;
    await must(runtime, cashOut);
    await told(runtime, idOf('out'), { said: 'accepted', providerRef: 'ref-1' });
    const topic = `payment/${idOf('out')}`;
    await client.live(topic, 0);
    expect(client.events(topic).map(({ type, status }) => [type, status])).toEqual([
      ['PaymentInitiated', 'INITIATED'],
      ['PaymentAuthorized', 'AUTHORIZED'],
      ['InstructionIssued', 'AUTHORIZED'],
      ['InstructionAccepted', undefined],
      ['PaymentCaptured', 'CAPTURED'],
    ]);
  });
});

describe('payments', () => {
  it('says from where, then tells every event of every payment, a whole unit at a time', async () => {
    const from = await client.live('payments');
    expect(from).toBe(log.store.last);
    await Promise.all(['a', 'b', 'c'].map((key) => must(runtime, p2p('ada', 'ben', 5n, key))));
    await client.until(() => client.units('payments').length === 3);
    expect(seen(client.events('payments'))).toEqual(await expectedOf(log, 'payments', from));
    expect(client.units('payments').map(({ position }) => position)).toEqual(
      log.store.units.slice(-3).map(({ lastPosition }) => lastPosition),
    );
  });

  it('with a position catches up from there, in the middle of a unit too, and goes on live', async () => {
    for (const key of ['a', 'b', 'c']) await must(runtime, p2p('ada', 'ben', 5n, key));
    const all = await expectedOf(log, 'payments');
    const after = all[5]?.position ?? 0;
    await client.live('payments', after);
    await must(runtime, p2p('ada', 'ben', 5n, 'd'));
    await client.until(() => client.events('payments').length >= all.length - 6 + 4);
    expect(seen(client.events('payments'))).toEqual(await expectedOf(log, 'payments', after));
  });
});

describe('several topics', () => {
  it('of one unit are each told of it, and unsubscribing ends one of them', async () => {
    await client.snapshot('account/ada');
    await client.snapshot('account/ben');
    await must(runtime, p2p('ada', 'ben', 5n, 'k1'));
    await client.until(() => client.units('account/ada').length + client.units('account/ben').length === 2);
    client.send({ unsubscribe: { topic: 'account/ada' } });
    await client.first(({ unsubscribed }) => unsubscribed);
    await must(runtime, p2p('ada', 'ben', 5n, 'k2'));
    await client.until(() => client.units('account/ben').length === 2);
    expect(client.units('account/ada')).toHaveLength(1);
    expect(door.feed.store.getSnapshot().context.topics.size).toBe(1);
  });
});
