import { beforeEach, describe, expect, it } from 'vitest';
import { Runtime } from '../../src/actors/runtime.ts';
import type { Role } from '../../src/gateway/principal.ts';
import { paymentIdOf } from '../../src/kernel/ids.ts';
import { caller, cashIn, must, p2p } from '../support/wallets.ts';
import type { Received, StreamClient } from './support/client.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { errorsOf, staged } from './support/stage.ts';

/** Proves that people watch their own accounts and payments only, and learn nothing of what is not theirs. */
const stage = staged();
let runtime: Runtime;

const idOf = (key: string): string => paymentIdOf(caller.tenant, caller.principal, key);
const of = {
  ada: 'account/ada-wallet',
  ben: 'account/ben-wallet',
  shop: 'account/shop-wallet',
  nobody: 'account/ownerless',
  adaToBen: `payment/${idOf('ada to ben')}`,
  benToShop: `payment/${idOf('ben to shop')}`,
  intoOwnerless: `payment/${idOf('into ownerless')}`,
  float: 'account/float:cash:XOF',
  payments: 'payments',
  connector: 'connector/momo-1',
  noPayout: 'payout/there-is-none',
  noAccount: 'account/there-is-none',
  noPayment: 'payment/there-is-none',
};
type Name = keyof typeof of;

beforeEach(async () => {
  runtime = new Runtime({ log: stage().log });
  const open = async (accountId: string, walletType: 'customer' | 'merchant', owner?: string): Promise<void> => {
    const feeBps = walletType === 'merchant' ? { feeBps: 150 } : {};
    const opened = {
      type: 'OpenAccount',
      idempotencyKey: `open ${accountId}`,
      accountId,
      walletType,
      currency: 'XOF',
      ...feeBps,
    } as const;
    await must(runtime, owner === undefined ? opened : { ...opened, owner });
  };
  await open('ada-wallet', 'customer', 'user:ada');
  await open('ben-wallet', 'customer', 'user:ben');
  await open('shop-wallet', 'merchant', 'user:shop');
  await open('ownerless', 'customer');
  await must(runtime, cashIn('ada-wallet', 10_000n));
  await must(runtime, cashIn('ben-wallet', 10_000n));
  await must(runtime, p2p('ada-wallet', 'ben-wallet', 100n, 'ada to ben'));
  await must(runtime, { ...p2p('ben-wallet', 'shop-wallet', 100n, 'ben to shop'), kind: 'MERCHANT', upTo: 'CAPTURED' });
  await must(runtime, cashIn('ownerless', 100n, 'into ownerless'));
  await stage().open({ recheckMs: 50 });
});

function as(id: string, role: Role): Promise<StreamClient> {
  return stage().connect({ token: stage().tokens.user(`${id}-${role}`, id, { roles: [role] }) });
}

/** What a client is answered when it subscribes: what the first message about the topic is. */
async function answer(client: StreamClient, topic: string, after?: number): Promise<keyof Received | 'NotFound'> {
  const from = client.received.length;
  client.subscribe(topic, after);
  const about = await client.first((message) => {
    if (client.received.indexOf(message) < from) return undefined;
    const said = message.snapshot ?? message.live ?? message.unit ?? message.error;
    return said?.topic === topic ? message : undefined;
  });
  if (about.error?.code === 'NotFound') return 'NotFound';
  return Object.keys(about)[0] as keyof Received;
}

const everything = Object.keys(of) as Name[];
const expectations: [string, Role, readonly Name[]][] = [
  ['ada', 'customer', ['ada', 'adaToBen']],
  ['ben', 'customer', ['ben', 'adaToBen', 'benToShop']],
  ['shop', 'merchant', ['shop', 'benToShop']],
  ['stranger', 'customer', []],
  ['stranger', 'merchant', []],
  ['stranger', 'support', everything],
  ['stranger', 'reviewer', everything],
  ['stranger', 'admin', everything],
];

describe('who may watch what', () => {
  it.each(expectations)('%s as %s', async (id, role, allowed) => {
    for (const after of [undefined, 0]) {
      const client = await as(id, role);
      for (const name of everything) {
        const answered = await answer(client, of[name], after);
        expect([name, answered === 'NotFound']).toEqual([name, !allowed.includes(name)]);
      }
    }
  });

  it('a service with the scope, and one whose token is not limited, everything', async () => {
    stage().tokens.service('scoped', { scopes: ['stream:read'] });
    for (const token of ['good', 'scoped']) {
      const client = await stage().connect({ token });
      for (const name of everything) expect(await answer(client, of[name])).not.toBe('NotFound');
    }
  });

  it('what is not yours and what is not there are answered alike, word for word', async () => {
    const client = await as('stranger', 'customer');
    const words = async (topic: string): Promise<string> => {
      await answer(client, topic);
      const { error } = client.received.at(-1) ?? {};
      return JSON.stringify(error).replaceAll(topic, '…');
    };
    const [account, payment] = [await words(of.noAccount), await words(of.noPayment)];
    for (const topic of [of.ada, of.nobody, of.float]) expect(await words(topic)).toBe(account);
    for (const topic of [of.adaToBen, of.intoOwnerless]) expect(await words(topic)).toBe(payment);
    // Of the past as well as of what comes.
    client.subscribe(of.ada, 0);
    client.subscribe('payments', 0);
    client.send({ ping: 'end' });
    await client.first(({ pong }) => pong);
    await must(runtime, p2p('ada-wallet', 'ben-wallet', 1n, 'later'));
    client.send({ ping: 'later' });
    await client.first(({ pong }) => (pong === 'later' ? true : undefined));
    expect(client.received.filter(({ unit, snapshot, live }) => unit ?? snapshot ?? live)).toEqual([]);
  });

  it('a topic that was not there may be watched as soon as it is, by its owner', async () => {
    const client = await as('ada', 'customer');
    const topic = `payment/${idOf('later')}`;
    expect(await answer(client, topic)).toBe('NotFound');
    await must(runtime, p2p('ada-wallet', 'ben-wallet', 1n, 'later'));
    expect(await answer(client, topic)).toBe('snapshot');
  });

  it('owners see every event of theirs, each once', async () => {
    const client = await as('ben', 'customer');
    const topics = [of.ben, `payment/${idOf('held')}`];
    await must(runtime, { ...p2p('ada-wallet', 'ben-wallet', 5n, 'held'), upTo: 'AUTHORIZED' });
    for (const topic of topics) client.subscribe(topic, 0);
    await must(runtime, { type: 'Capture', idempotencyKey: 'capture', paymentId: idOf('held') });
    for (const topic of topics) {
      const expected = await expectedOf(stage().log, topic);
      await client.until(() => client.events(topic).length >= expected.length);
      expect(seen(client.events(topic))).toEqual(expected);
    }
  });
});

describe('the figures of the other party', () => {
  const available = /"available"|"asked"|10000|9900/;

  it('are not told by a payment that failed for want of money, in whatever way it is heard of', async () => {
    const failed = await runtime.execute(p2p('ada-wallet', 'ben-wallet', 50_000n, 'too much'), caller);
    expect(failed.ok).toBe(false);
    const topic = `payment/${idOf('too much')}`;
    const [fromState, fromPast, staff] = [
      await as('ben', 'customer'),
      await as('ben', 'customer'),
      await as('s', 'support'),
    ];
    await fromState.snapshot(topic);
    await fromPast.live(topic, 0);
    await staff.live(topic, 0);
    const { state } = await fromState.first(({ snapshot }) => snapshot);
    expect(state).toMatchObject({ status: 'FAILED', failure: { code: 'InsufficientFunds' } });
    expect(fromPast.events(topic).at(-1)).toMatchObject({
      type: 'PaymentFailed',
      data: { reason: 'InsufficientFunds' },
    });
    expect(JSON.stringify([fromState.received, fromPast.received])).not.toMatch(available);
    expect(JSON.stringify(staff.received)).toMatch(available);
  });

  it('nor when it is heard live, beside somebody who may see them', async () => {
    // Initiated, so that there is something to watch; it fails when it is authorized.
    await must(runtime, { ...p2p('ada-wallet', 'ben-wallet', 50_000n, 'too much'), upTo: 'INITIATED' });
    const topic = `payment/${idOf('too much')}`;
    const [party, staff] = [await as('ben', 'customer'), await as('s', 'support')];
    await party.snapshot(topic);
    await staff.snapshot(topic);
    const paymentId = idOf('too much');
    const refused = await runtime.execute({ type: 'Authorize', idempotencyKey: 'authorize', paymentId }, caller);
    expect(refused.ok).toBe(false);
    for (const client of [party, staff]) await client.until(() => client.events(topic).length === 1);
    expect(JSON.stringify(party.received)).not.toMatch(available);
    expect(JSON.stringify(staff.received)).toMatch(available);
  });
});

it('fees are between us and one of the parties: not told to either', async () => {
  const topic = of.benToShop;
  await must(runtime, { type: 'Settle', idempotencyKey: 'settle', paymentId: idOf('ben to shop') });
  const [payer, merchant, staff] = [
    await as('ben', 'customer'),
    await as('shop', 'merchant'),
    await as('s', 'support'),
  ];
  for (const client of [payer, merchant, staff]) {
    const expected = await expectedOf(stage().log, topic);
    await client.snapshot(topic);
    client.send({ unsubscribe: { topic } });
    await client.first(({ unsubscribed }) => unsubscribed);
    await client.live(topic, 0);
    expect(seen(client.events(topic))).toEqual(expected);
  }
  const fees = /"fee"|"feeBps"|"providerFee"/;
  expect(JSON.stringify([payer.received, merchant.received])).not.toMatch(fees);
  expect(JSON.stringify(staff.received)).toMatch(fees);
});

describe('a right that is lost', () => {
  it('with the session: the connection ends, with its own code', async () => {
    const token = stage().tokens.user('ada', 'ada');
    const client = await stage().connect({ token });
    await client.snapshot(of.ada);
    stage().tokens.end(token);
    expect(await client.closed).toMatchObject({ code: 4403 });
    expect(await stage().refusal({ token })).toMatchObject({ status: 401 });
  });

  it('with a role: the topics that it was for are ended and named, the others go on', async () => {
    const token = stage().tokens.user('ada', 'ada', { roles: ['customer', 'support'] });
    const client = await stage().connect({ token });
    for (const topic of [of.ada, of.ben, of.benToShop]) await client.snapshot(topic);
    await client.live('payments');
    stage().tokens.user('ada', 'ada', { roles: ['customer'] });
    await client.until(() => errorsOf(client).length === 3);
    const ended = client.received.flatMap(({ error }) => (error === undefined ? [] : [[error.code, error.topic]]));
    expect(ended.sort()).toEqual([of.ben, of.benToShop, 'payments'].map((topic) => ['NotFound', topic]).sort());
    await must(runtime, p2p('ada-wallet', 'ben-wallet', 1n, 'later'));
    await client.until(() => client.units(of.ada).length === 1);
    client.send({ ping: 'end' });
    await client.first(({ pong }) => pong);
    expect(client.units(of.ben)).toEqual([]);
    expect(client.units('payments')).toEqual([]);
    expect(await answer(client, of.ben)).toBe('NotFound');
  });

  it('with a scope: everything ends', async () => {
    const token = stage().tokens.service('scoped', { scopes: ['stream:read'] });
    const client = await stage().connect({ token });
    await client.live('payments');
    stage().tokens.service('scoped', { scopes: [] });
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'NotFound', topic: 'payments' });
    expect(await answer(client, of.ada)).toBe('NotFound');
  });
});
