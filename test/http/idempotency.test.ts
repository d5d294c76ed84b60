import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/index.ts';
import { type Answered, callAt, type HttpProduct, openProduct, type Someone } from './support/product.ts';

/**
 * Proves that a request which is sent again does nothing again and gets the first answer, from the log of answers and,
 * word for word the same, from the event log where that is gone.
 */
describe('a request that is sent again', () => {
  let product: HttpProduct;
  let shop: Someone;
  let ada: Someone;
  let adas: string;
  let number = 0;
  let key: string;

  beforeAll(async () => {
    product = await openProduct();
    shop = await product.service();
    ada = await product.user('customer');
    adas = await opened(ada);
    await product.must(shop, 'POST', '/v1/payments', {
      body: { kind: 'CASH_IN', payee: adas, provider: 'cash', amount: '10000', currency: 'XOF' },
    });
  });
  afterAll(() => product.close());
  beforeEach(() => {
    key = `key ${(number += 1)}`;
  });

  const opened = async (who: Someone): Promise<string> =>
    (await product.must(who, 'POST', '/v1/accounts', { body: { type: 'customer', currency: 'XOF' } })).body.accountId;
  const forget = () => product.admin.query('truncate gateway.idempotency_log');
  const entries = async () =>
    (await product.admin.query<{ count: string }>('select count(*) from eventstore.log')).rows[0]?.count;

  // What is asked, and what of it is not the same each time: the request of each must be one whose outcome the log keeps.
  const p2p = (amount: string) => ({ kind: 'P2P', payer: adas, payee: shopWallet, amount, currency: 'XOF' });
  let shopWallet: string;
  beforeAll(async () => {
    shopWallet = await opened(await product.user('customer'));
  });

  interface Repeated {
    readonly what: string;
    readonly status: number;
    readonly ask: () => Promise<Answered>;
  }
  const repeated: Repeated[] = [
    {
      what: 'a payment',
      status: 201,
      ask: () => product.call(ada, 'POST', '/v1/payments', { key, body: p2p('10') }),
    },
    {
      what: 'a payment that is refused and recorded',
      status: 422,
      ask: () => product.call(ada, 'POST', '/v1/payments', { key, body: p2p('1000000') }),
    },
    {
      what: 'an account',
      status: 201,
      ask: () => product.call(ada, 'POST', '/v1/accounts', { key, body: { type: 'customer', currency: 'GHS' } }),
    },
    {
      what: 'a step of a payment that has gone on since',
      status: 200,
      ask: async () => {
        const made = await product.must(ada, 'POST', '/v1/payments', {
          key: `${key} made`,
          body: { ...p2p('10'), upTo: 'INITIATED' },
        });
        const at = `/v1/payments/${made.body.paymentId}`;
        const answer = await product.call(ada, 'POST', `${at}/authorize`, { key });
        await product.call(ada, 'POST', `${at}/capture`, { key: `${key} captured` });
        return answer;
      },
    },
  ];

  it.each(repeated)('gets the first answer: $what', async ({ ask, status }) => {
    const first = await ask();
    expect(first.status, first.text).toBe(status);
    expect(first.headers.get('kora-replayed')).toBeNull();
    const written = await entries();
    const ownWords = ({ body }: Answered): unknown => ({ ...body, correlationId: undefined });

    const cached = await ask();
    expect([cached.status, cached.headers.get('kora-replayed')]).toEqual([status, 'true']);
    expect(ownWords(cached)).toEqual(ownWords(first));

    await forget();
    const decided = await ask();
    expect([decided.status, decided.headers.get('kora-replayed')]).toEqual([status, 'true']);
    expect(ownWords(decided)).toEqual(ownWords(first));
    expect(await entries(), 'nothing was written again').toBe(written);
  });

  it('is refused when its body is another one, by the cache and by the log alike', async () => {
    await product.must(ada, 'POST', '/v1/payments', { key, body: p2p('10') });
    const cached = await product.call(ada, 'POST', '/v1/payments', { key, body: p2p('11') });
    await forget();
    const decided = await product.call(ada, 'POST', '/v1/payments', { key, body: p2p('11') });
    expect([cached.status, cached.body.code]).toEqual([422, 'IdempotencyConflict']);
    expect([decided.status, decided.body.code]).toEqual([422, 'IdempotencyConflict']);
    const words = ({ body }: Answered): unknown => ({ ...body, correlationId: undefined });
    expect(words(decided)).toEqual(words(cached));
  });

  it('is another request when somebody else sends it', async () => {
    const mine = await product.must(ada, 'POST', '/v1/accounts', { key, body: { type: 'customer', currency: 'XOF' } });
    const ben = await product.user('customer');
    const his = await product.must(ben, 'POST', '/v1/accounts', { key, body: { type: 'customer', currency: 'XOF' } });
    expect(his.body.accountId).not.toBe(mine.body.accountId);
    expect(his.body.owner).toBe(ben.principal);
  });

  it('is looked at anew when its refusal is not recorded', async () => {
    const made = await product.must(ada, 'POST', '/v1/payments', { body: { ...p2p('10'), upTo: 'INITIATED' } });
    const at = `/v1/payments/${made.body.paymentId}`;
    expect((await product.call(ada, 'POST', `${at}/capture`, { key })).body.code).toBe('IllegalTransition');
    await product.must(ada, 'POST', `${at}/authorize`);
    expect((await product.call(ada, 'POST', `${at}/capture`, { key })).status).toBe(200);
  });

  it('pays once, however many send it at once, through two doors', async () => {
    const other = await product.open();
    const urls = [product.url, `http://127.0.0.1:${other.port}`];
    const before = BigInt((await product.must(ada, 'GET', `/v1/accounts/${adas}`)).body.posted);
    const ask = (url: string) => callAt(url, ada, 'POST', '/v1/payments', { key, body: p2p('7') });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(urls[index % 2] ?? product.url)));
    expect(new Set(answers.map(({ status }) => status))).toSatisfy((statuses: Set<number>) =>
      [...statuses].every((status) => status === 201 || status === 409),
    );
    for (const { status, body, headers } of answers) {
      if (status !== 409) continue;
      expect([body.code, headers.get('retry-after')]).toEqual(['StillRunning', '1']);
    }
    // Whoever was told to come again gets the answer.
    const later = await Promise.all(urls.map(ask));
    const ids = [...answers, ...later].filter(({ status }) => status === 201).map(({ body }) => body.paymentId);
    expect(later.map(({ status }) => status)).toEqual([201, 201]);
    expect(new Set(ids).size).toBe(1);
    const after = BigInt((await product.must(ada, 'GET', `/v1/accounts/${adas}`)).body.posted);
    expect(before - after).toBe(7n);
  });

  it('is told to come again while it is at work, and to be another one where its body differs', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    // A door whose ledger takes its time.
    const slow = await product.open({ ledger: slowed(product, held) });
    const url = `http://127.0.0.1:${slow.port}`;
    const body = { type: 'customer', currency: 'XOF' };
    const first = callAt(url, ada, 'POST', '/v1/accounts', { key, body });
    await claimed(key);
    // In the same process, and in another one.
    for (const at of [url, product.url]) {
      const same = await callAt(at, ada, 'POST', '/v1/accounts', { key, body });
      expect([same.status, same.body.code]).toEqual([409, 'StillRunning']);
      const other = await callAt(at, ada, 'POST', '/v1/accounts', { key, body: { ...body, currency: 'GHS' } });
      expect([other.status, other.body.code]).toEqual([422, 'IdempotencyConflict']);
    }
    letGo();
    expect((await first).status).toBe(201);
    expect((await product.call(ada, 'POST', '/v1/accounts', { key, body })).body).toEqual((await first).body);
  });

  it('is carried out once, and answered by both, when it is taken over from one that is slow and not dead', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const slow = await product.open({ ledger: slowed(product, held) });
    const body = { type: 'customer', currency: 'XOF' };
    const first = callAt(`http://127.0.0.1:${slow.port}`, ada, 'POST', '/v1/accounts', { key, body });
    await claimed(key);
    await product.admin.query('update gateway.idempotency_log set claimed_until = now() where key = $1', [key]);
    const takenOver = await product.call(ada, 'POST', '/v1/accounts', { key, body });
    expect(takenOver.status).toBe(201);
    letGo();
    expect([(await first).status, (await first).body]).toEqual([201, takenOver.body]);
    const { rowCount } = await product.admin.query(`select from eventstore.log where stream = $1`, [
      `account/${takenOver.body.accountId}`,
    ]);
    expect(rowCount).toBe(1);
  });

  const slowed = ({ ledger }: HttpProduct, held: Promise<void>): Ledger => ({
    ...ledger,
    carryOut: async (request, caller) => {
      await held;
      return ledger.carryOut(request, caller);
    },
  });
  const claimed = async (of: string, and = 'true'): Promise<void> => {
    for (;;) {
      const text = `select from gateway.idempotency_log where key = $1 and ${and}`;
      const { rowCount } = await product.admin.query(text, [of]);
      if (rowCount === 1) return;
      await sleep(5);
    }
  };
  /** The answer is written down: from now on every process has it from there. */
  const kept = (of: string): Promise<void> => claimed(of, 'answer is not null');

  it('gets its answer in another process before it is written down', async () => {
    const other = await product.open();
    for (let time = 0; time < 10; time += 1) {
      const body = { type: 'customer', currency: 'XOF' };
      const first = await product.must(ada, 'POST', '/v1/accounts', { key: `${key} ${time}`, body });
      const at = `http://127.0.0.1:${other.port}`;
      const again = await callAt(at, ada, 'POST', '/v1/accounts', { key: `${key} ${time}`, body });
      expect([again.status, again.body], again.text).toEqual([201, first.body]);
    }
  });

  it('goes on when whoever claimed it has died', async () => {
    const body = { type: 'customer', currency: 'XOF' };
    await product.must(ada, 'POST', '/v1/accounts', { key, body });
    await kept(key);
    // They died before they had begun: as if their claim were on another body, which nobody ever carried out.
    await product.admin.query(`update gateway.idempotency_log set key = $1 || ' died', answer = null where key = $1`, [
      key,
    ]);
    const asked = { key: `${key} died`, body };
    expect((await product.call(ada, 'POST', '/v1/accounts', asked)).body.code).toBe('StillRunning');
    await product.admin.query('update gateway.idempotency_log set claimed_until = now() where key = $1', [asked.key]);
    const taken = await product.call(ada, 'POST', '/v1/accounts', asked);
    expect([taken.status, taken.headers.get('kora-replayed')]).toEqual([201, null]);
  });

  it('gets its answer at once when whoever gave it died before it was written down', async () => {
    const forgetAnswer = async (of: string): Promise<void> => {
      await kept(of);
      await product.admin.query('update gateway.idempotency_log set answer = null where key = $1', [of]);
    };
    const made = await product.must(ada, 'POST', '/v1/payments', { key, body: { ...p2p('4'), upTo: 'AUTHORIZED' } });
    const at = `/v1/payments/${made.body.paymentId}/capture`;
    const captured = await product.must(ada, 'POST', at, { key: `${key} capture` });
    const opened = await product.must(ada, 'POST', '/v1/accounts', {
      key: `${key} open`,
      body: { type: 'customer', currency: 'XOF' },
    });
    for (const of of [key, `${key} capture`, `${key} open`]) await forgetAnswer(of);
    const again = [
      await product.call(ada, 'POST', '/v1/payments', { key, body: { ...p2p('4'), upTo: 'AUTHORIZED' } }),
      await product.call(ada, 'POST', at, { key: `${key} capture` }),
      await product.call(ada, 'POST', '/v1/accounts', {
        key: `${key} open`,
        body: { type: 'customer', currency: 'XOF' },
      }),
    ];
    expect(again.map(({ status, headers }) => [status, headers.get('kora-replayed')])).toEqual([
      [201, 'true'],
      [200, 'true'],
      [201, 'true'],
    ]);
    expect(again.map(({ body }) => body)).toEqual([made.body, captured.body, opened.body]);
  });

  it('goes on when the log of answers cannot be asked', async () => {
    await product.admin.query('alter table gateway.idempotency_log rename to gone');
    try {
      const body = p2p('3');
      const first = await product.call(ada, 'POST', '/v1/payments', { key, body });
      const again = await product.call(ada, 'POST', '/v1/payments', { key, body });
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.body).toEqual(first.body);
    } finally {
      await product.admin.query('alter table gateway.gone rename to idempotency_log');
    }
  });

  it('leaves no answer behind that is too old, and records the session that asked', async () => {
    const door = await product.open({ idempotencyRetentionMs: 1_000 });
    const body = { type: 'customer', currency: 'XOF' };
    await callAt(`http://127.0.0.1:${door.port}`, ada, 'POST', '/v1/accounts', { key, body });
    await kept(key);
    const { rows } = await product.admin.query<{ session: string; lives: number }>(
      `select session, extract(epoch from expires_at - created_at)::float8 as lives
       from gateway.idempotency_log where key = $1`,
      [key],
    );
    expect(rows).toEqual([{ session: expect.any(String) as string, lives: 1 }]);
    await product.admin.query(`update gateway.idempotency_log set fingerprint = 'of another' where key = $1`, [key]);
    await sleep(1_050);
    // It is over: the log alone answers, whatever stands there.
    expect((await product.call(ada, 'POST', '/v1/accounts', { key, body })).headers.get('kora-replayed')).toBe('true');
  });

  it('must have a key that can be one', async () => {
    for (const bad of ['', 'k'.repeat(256), 'schlüssel']) {
      const { status, body } = await product.call(ada, 'POST', '/v1/payments', {
        headers: { 'idempotency-key': bad },
        body: p2p('1'),
      });
      expect([status, body.code]).toEqual([400, 'IdempotencyKeyMissing']);
    }
    const long = await product.call(ada, 'POST', '/v1/payments', { key: 'k'.repeat(255), body: p2p('1') });
    expect(long.status).toBe(201);
  });

  it('tells the log who asked, in which session, and under which correlation id', async () => {
    const { body, headers } = await product.must(ada, 'POST', '/v1/payments', {
      body: p2p('1'),
      headers: { 'kora-correlation-id': 'from-the-app-1' },
    });
    expect(headers.get('kora-correlation-id')).toBe('from-the-app-1');
    const { rows } = await product.admin.query<{ meta: Record<string, string> }>(
      'select meta from eventstore.log where stream = $1 and meta is not null',
      [`payment/${body.paymentId}`],
    );
    expect(rows[0]?.meta).toMatchObject({
      principal: ada.principal,
      correlationId: 'from-the-app-1',
      session: expect.any(String) as string,
    });
    expect(product.lines.some((line) => line.includes('"correlationId":"from-the-app-1"'))).toBe(true);
  });
});
