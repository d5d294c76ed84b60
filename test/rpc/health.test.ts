import type { ClientReadableStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/actors/runtime.ts';
import { PaymentKind, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { clientsOf } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';
import { called, healthClient, metadataOf } from './grpc-clients.ts';

// Balancers and probes learn without a token whether calls are taken here, in the words that gRPC agreed on, and they
// learn of the end while calls are still taken.

let test: TestDoor | undefined;
const clients: { close(): void }[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await test?.close();
  expect(test?.faults ?? []).toEqual([]);
  test = undefined;
});
const open = async (limits = {}) => {
  test = await openTestDoor({ limits });
  const client = healthClient(test);
  clients.push(client);
  return { client, test };
};

/** A watcher, and what it is told until its stream ends. */
function watching(client: ReturnType<typeof healthClient>, service = '') {
  type Watch = (request: object, metadata: object) => ClientReadableStream<{ status: string }>;
  const watch = (client as unknown as { watch: Watch }).watch.bind(client);
  const stream = watch({ service }, metadataOf(undefined));
  const told: string[] = [];
  const first = new Promise((resolve) => stream.once('data', resolve));
  stream.on('data', ({ status }: { status: string }) => told.push(status));
  const ended = new Promise<{ code?: number }>((resolve) => {
    stream.once('end', () => resolve({}));
    stream.once('error', resolve);
  });
  return { stream, told, first, ended };
}

describe('health', () => {
  it('says that everything is serving, and of what it does not know that it does not', async () => {
    const { client } = await open();
    for (const service of ['', 'kora.v1.PaymentService', 'kora.v1.PayoutService', 'kora.v1.AccountService']) {
      expect(await called(client, 'check', { service })).toEqual({ status: 'SERVING' });
    }
    await expect(called(client, 'check', { service: 'kora.v1.Nothing' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    const serving = { status: 'SERVING' };
    expect(await called(client, 'list', {})).toEqual({
      statuses: {
        '': serving,
        'kora.v1.PaymentService': serving,
        'kora.v1.PayoutService': serving,
        'kora.v1.AccountService': serving,
      },
    });
  });

  it('tells watchers of the end before anything is refused, and lets them go then', async () => {
    const { client, test } = await open({ noticeMs: 400 });
    const watchers = ['', 'kora.v1.PaymentService', 'nothing'].map((service) => watching(client, service));
    await Promise.all(watchers.map(({ first }) => first));
    const closed = test.door.close();
    while (watchers[0]?.told.length !== 2) await sleep(5);
    // Those who have not heard of it yet are still served.
    expect(await called(client, 'check', {})).toEqual({ status: 'NOT_SERVING' });
    expect((await clientsOf(test.url, test.token).payments.batch({})).results).toEqual([]);
    await Promise.all(watchers.map(({ ended }) => ended));
    await closed;
    const stopping = ['SERVING', 'NOT_SERVING'];
    expect(watchers.map(({ told }) => told)).toEqual([stopping, stopping, ['SERVICE_UNKNOWN']]);
  });

  it('does not hold up the end, with calls at work', async () => {
    let finish: (outcome: Outcome) => void = () => undefined;
    const reached = Promise.withResolvers<undefined>();
    const execute = () => {
      reached.resolve(undefined);
      return new Promise<Outcome>((resolve) => (finish = resolve));
    };
    const nothing = () => Promise.resolve(undefined);
    test = await openTestDoor({ runtime: { execute, payment: nothing, account: nothing, payout: nothing } });
    const client = healthClient(test);
    clients.push(client);
    const watcher = watching(client);
    await watcher.first;
    const pay = { idempotencyKey: 'k', kind: PaymentKind.P2P, amount: '1', currency: 'XOF', upTo: PayUpTo.SETTLED };
    const atWork = refusedBy(clientsOf(test.url, test.token).payments.pay(pay));
    await reached.promise;
    const closed = test.door.close();
    await watcher.ended;
    expect(watcher.told).toEqual(['SERVING', 'NOT_SERVING']);
    finish({ ok: false, refusal: { code: 'Contended', message: 'reached' }, duplicate: false });
    expect((await atWork).error.rawMessage).toBe('reached');
    await closed;
  });

  it('forgets watchers that go away, and takes a thousand', { timeout: 60_000 }, async () => {
    const { test, client } = await open();
    // A connection carries 250 streams.
    const clientsOfMany = Array.from({ length: 5 }, () => healthClient(test));
    clients.push(...clientsOfMany);
    const many = clientsOfMany.flatMap((one) => Array.from({ length: 200 }, () => watching(one)));
    await Promise.all(many.map(({ first }) => first));
    expect((await watching(client).ended).code).toBe(status.RESOURCE_EXHAUSTED);
    for (const { stream } of many) stream.cancel();
    await Promise.all(many.map(({ ended }) => ended));
    // The door learns of each end by an event of its own.
    let taken = false;
    while (!taken) {
      const { first, ended } = watching(client);
      taken = await Promise.race([first.then(() => true), ended.then(() => false)]);
    }
    expect((await clientsOf(test.url, test.token).payments.batch({})).results).toEqual([]);
  });
});
