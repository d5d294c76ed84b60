/** What is watched keeps its promises where the wires are fine and the rest is not: slow readers, many topics, short tokens. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { type AccountEvent, granted, Kora } from '../../sdk/index.ts';
import { Streams } from '../../sdk/stream/streams.ts';
import { collected, isDense } from './support/collected.ts';
import { openStage, type Stage } from './support/stage.ts';

const topicsMax = 3;
let stage: Stage;
let kora: Kora;

beforeAll(async () => {
  stage = await openStage({ KORA_STREAM_SUBSCRIPTIONS_MAX: String(topicsMax) });
  kora = new Kora({ ...stage.urls, token: () => stage.serviceToken() });
});
afterAll(() => stage.close());

async function wallet(amount = 0): Promise<string> {
  const { accountId } = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' }));
  const cash = {
    kind: 'CASH_IN',
    amount: BigInt(amount),
    currency: 'XOF',
    payee: accountId,
    provider: 'cash',
  } as const;
  if (amount > 0) granted(await kora.payments.pay(cash));
  return accountId;
}

/** Without the http door, whose rates are not what is tested here. */
async function payOften(payer: string, payee: string, times: number): Promise<void> {
  const caller = { tenant: 'kora', principal: 'service:test', correlationId: 'often' };
  const pay = (count: number) =>
    stage.kora.runtime.execute(
      {
        type: 'Pay',
        idempotencyKey: `often ${payer} ${count}`,
        kind: 'P2P',
        amount: 1n,
        currency: 'XOF',
        payer,
        payee,
        upTo: 'SETTLED',
      },
      caller,
    );
  for (const outcome of await Promise.all(Array.from({ length: times }, (_, count) => pay(count)))) {
    expect(outcome.ok).toBe(true);
  }
}

it('waits with a topic for its reader, however much comes, and loses nothing', async () => {
  const [payer, payee] = [await wallet(10_000), await wallet()];
  const stop = new AbortController();
  const watch = kora.watch(`account/${payer}`, { after: 0, signal: stop.signal })[Symbol.asyncIterator]();
  const first = await watch.next();
  const versions = first.value?.type === 'unit' ? first.value.events.map(({ version }) => version) : [];
  // More than is kept for a reader who does not read.
  await payOften(payer, payee, 3_000);
  const { version } = granted(await kora.accounts.get(payer));
  while (versions.at(-1) !== version) {
    const { value } = await watch.next();
    if (value?.type === 'unit') versions.push(...value.events.map((event) => event.version));
  }
  stop.abort();
  expect(versions[0]).toBe(1);
  expect(isDense(versions)).toBe(true);
  expect(versions.length).toBeGreaterThan(3_000);
});

it('watches more topics than one connection may have, on as few as need be', async () => {
  const wallets = await Promise.all(Array.from({ length: 2 * topicsMax + 1 }, () => wallet()));
  const before = stage.stream.requests.length;
  const stop = new AbortController();
  const watched = wallets.map((id) => collected(kora.watch(`account/${id}`, { signal: stop.signal })));
  await Promise.all(watched.map(({ until }) => until(({ versions }) => versions.length > 0)));
  expect(stage.stream.requests.length - before).toBe(3);
  stop.abort();
  await Promise.all(watched.map(({ over }) => over));
});

it('notices a connection that is gone without a word', async () => {
  const [payer, payee] = [await wallet(1_000), await wallet()];
  const token = await stage.serviceToken();
  const streams = new Streams({
    url: stage.urls.streamUrl,
    door: { pass: () => Promise.resolve({ token, deviceId: undefined }), turnedAway: () => Promise.resolve() },
    retry: { attemptsMax: 5, delayMs: 10, delayMsMax: 100 },
    times: { helloMs: 5_000, quietMs: 200, pongMs: 500 },
  });
  const stop = new AbortController();
  const watched = collected(streams.watch<unknown, AccountEvent>(`account/${payer}`, { signal: stop.signal }));
  await watched.until(({ versions }) => versions.length > 0);
  const before = stage.stream.requests.length;
  // As long as the door answers, a quiet connection is left alone.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(stage.stream.requests.length).toBe(before);
  stage.stream.fallSilent();
  await payOften(payer, payee, 1);
  await watched.until(({ versions }) => versions.length > 1);
  expect(isDense(watched.told.versions)).toBe(true);
  stop.abort();
  await watched.over;
  stage.stream.cutAll();
});

it('ends by break, and closes the socket that nobody needs any more', async () => {
  const id = await wallet();
  for await (const told of kora.watch(`account/${id}`)) {
    expect(told).toMatchObject({ type: 'snapshot', state: { accountId: id } });
    break;
  }
  await expect.poll(() => stage.stream.connections, { timeout: 10_000 }).toBe(0);
});

it('gives an open socket the next token before the last one ends', async () => {
  const [payer, payee] = [await wallet(1_000), await wallet()];
  let tokens = 0;
  const shortLived = new Kora({
    ...stage.urls,
    token() {
      tokens += 1;
      return stage.serviceToken('till', 1);
    },
  });
  const before = stage.stream.requests.length;
  const stop = new AbortController();
  const watched = collected(shortLived.watch(`account/${payer}`, { signal: stop.signal }));
  await watched.until(({ versions }) => versions.length > 0);
  const atFirst = tokens;
  // A token of a second counts for six, because clocks differ: by then the first and the second one have ended.
  await new Promise((resolve) => setTimeout(resolve, 8_000));
  await payOften(payer, payee, 1);
  await watched.until(({ versions }) => versions.length > 1);
  stop.abort();
  expect(tokens).toBeGreaterThan(atFirst);
  expect(stage.stream.requests.length - before).toBe(1);
}, 20_000);

it('tells the watcher when a token is none, and when it reaches no further than the http door', async () => {
  const retry = { attemptsMax: 3, delayMs: 10 };
  const foreign = await issueServiceToken({ key: createServiceKey(), service: 'x', tenant: 'kora', ttlSeconds: 60 });
  const watch = (token: string) => collected(new Kora({ ...stage.urls, token, retry }).watch('payments')).over;
  await expect(watch(foreign)).rejects.toMatchObject({ name: 'KoraRefusal', code: 'Unauthenticated' });
  const narrow = await stage.serviceToken('till', 60, ['payments:read']);
  await expect(watch(narrow)).rejects.toMatchObject({ name: 'KoraFault', code: 'StreamRefused' });
});

it('tells the watcher of a position that the log has not reached', async () => {
  const ahead = collected(kora.watch('payments', { after: 1_000_000 })).over;
  await expect(ahead).rejects.toMatchObject({ name: 'WatchRefusal', code: 'InvalidPosition' });
});

it('begins "payments" with a position, and goes on from one in another client', async () => {
  const [payer, payee] = [await wallet(1_000), await wallet()];
  const first = kora.watch('payments')[Symbol.asyncIterator]();
  const live = await first.next();
  await first.return?.();
  expect(live.value).toMatchObject({ type: 'live', topic: 'payments' });
  const { paymentId } = granted(await kora.payments.pay({ kind: 'P2P', amount: 1n, currency: 'XOF', payer, payee }));
  const other = new Kora({ ...stage.urls, token: await stage.serviceToken() });
  for await (const told of other.watch('payments', { after: live.value?.position ?? 0 })) {
    if (told.type !== 'unit') continue;
    expect(told.events.map(({ paymentId: id, status }) => [id, status])).toContainEqual([paymentId, 'SETTLED']);
    break;
  }
});
