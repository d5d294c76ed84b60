import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpProduct, openProduct, type Someone } from './support/product.ts';

/** Proves what the http door does with accounts and payments, from opening a wallet to reading what happened, as people sentences. */
describe('accounts and payments over http', () => {
  let product: HttpProduct;
  let shop: Someone;
  let ada: Someone;
  let ben: Someone;
  let mel: Someone;
  let adas: string;
  let bens: string;
  let mels: string;
  const openWallet = async (who: Someone, type: string): Promise<string> => {
    const { body } = await product.must(who, 'POST', '/v1/accounts', { body: { type, currency: 'XOF' } });
    return body.accountId;
  };
  const cashIn = (payee: string, amount: string) =>
    product.must(shop, 'POST', '/v1/payments', {
      body: { kind: 'CASH_IN', payee, provider: 'cash', amount, currency: 'XOF' },
    });

  beforeAll(async () => {
    product = await openProduct();
    shop = await product.service();
    [ada, ben, mel] = await Promise.all([product.user('customer'), product.user('customer'), product.user('merchant')]);
    adas = await openWallet(ada, 'customer');
    bens = await openWallet(ben, 'customer');
    mels = await openWallet(mel, 'merchant');
    await cashIn(adas, '10000');
  });
  afterAll(() => product.close());

  it('opens a wallet of its caller, and shows it to them', async () => {
    const { status, body } = await product.call(ada, 'GET', `/v1/accounts/${adas}`);
    expect([status, body]).toEqual([
      200,
      {
        accountId: adas,
        type: 'customer',
        currency: 'XOF',
        status: 'OPEN',
        posted: '10000',
        held: '0',
        available: '10000',
        limit: '0',
        owner: ada.principal,
        version: 2,
      },
    ]);
  });

  it('pays from one person to another, at once and for good', async () => {
    const paid = await product.call(ada, 'POST', '/v1/payments', {
      body: { kind: 'P2P', payer: adas, payee: bens, amount: '2500', currency: 'XOF' },
    });
    expect(paid.status).toBe(201);
    expect(paid.body).toMatchObject({ kind: 'P2P', status: 'SETTLED', amount: '2500', captured: '2500' });
    expect((await product.call(ben, 'GET', `/v1/accounts/${bens}`)).body).toMatchObject({ posted: '2500' });
    expect((await product.call(ben, 'GET', `/v1/payments/${paid.body.paymentId}`)).body).toEqual({
      ...paid.body,
      // What is kept from the payee is told to the payee.
      fee: '0',
    });
  });

  it('says what happened in sentences', async () => {
    const { body } = await product.must(ada, 'POST', '/v1/payments', {
      body: { kind: 'MERCHANT', payer: adas, payee: mels, amount: '1000', currency: 'XOF' },
    });
    expect(body.status).toBe('CAPTURED');
    await product.must(shop, 'POST', `/v1/payments/${body.paymentId}/settle`);
    await product.must(mel, 'POST', `/v1/payments/${body.paymentId}/refund`, { body: { amount: '400' } });
    const support = await product.user('support');
    const timeline = await product.must(support, 'GET', `/v1/payments/${body.paymentId}/timeline`);
    const items = timeline.body.items;
    expect(items.map(({ sentence }) => sentence)).toEqual([
      `A purchase of 1000 XOF by account ${adas} from merchant ${mels} was asked for.`,
      'It was agreed to; nothing is held for it.',
      expect.stringMatching(
        new RegExp(
          `^1000 XOF was taken from account ${adas} and waits to be paid to the merchant; settlement is due by`,
        ),
      ),
      'The merchant was paid.',
      expect.stringMatching(/^400 XOF of it is given back by the refund \S+\.$/),
    ]);
    expect(items.map(({ by }) => by)).toEqual([
      ada.principal,
      ada.principal,
      ada.principal,
      'service:shop',
      mel.principal,
    ]);
    // A customer is told what was theirs, and of the others that there were some.
    const hers = await product.must(ada, 'GET', `/v1/payments/${body.paymentId}/timeline`);
    expect(hers.body.items.map(({ by }) => by)).toEqual([
      ada.principal,
      ada.principal,
      ada.principal,
      'somebody else',
      'somebody else',
    ]);
  });

  it('takes a payment step by step', async () => {
    const created = await product.must(ada, 'POST', '/v1/payments', {
      body: { kind: 'P2P', payer: adas, payee: bens, amount: '300', currency: 'XOF', upTo: 'INITIATED' },
    });
    const at = `/v1/payments/${created.body.paymentId}`;
    expect(created.body.status).toBe('INITIATED');
    expect((await product.must(ada, 'POST', `${at}/authorize`)).body).toMatchObject({ status: 'AUTHORIZED' });
    expect((await product.must(ada, 'POST', `${at}/capture`, { body: { amount: '100' } })).body).toMatchObject({
      status: 'SETTLED',
      captured: '100',
    });
    const again = await product.call(ada, 'POST', `${at}/cancel`);
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ code: 'IllegalTransition', state: 'SETTLED', allowed: [] });
  });

  it('says which party is missing, rather than that nobody is not there', async () => {
    const body = { kind: 'P2P', payee: bens, amount: '1', currency: 'XOF' };
    expect(await product.call(ada, 'POST', '/v1/payments', { body })).toMatchObject({
      status: 400,
      body: { code: 'Invalid', field: 'payer', detail: 'payer: a P2P needs one' },
    });
  });

  it('cancels and reverses what is not done', async () => {
    const begin = async (upTo: string) => {
      const body = { kind: 'P2P', payer: adas, payee: bens, amount: '300', currency: 'XOF', upTo };
      return `/v1/payments/${(await product.must(ada, 'POST', '/v1/payments', { body })).body.paymentId}`;
    };
    const cancelled = await product.must(ada, 'POST', `${await begin('INITIATED')}/cancel`, {
      body: { reason: 'not any more' },
    });
    expect(cancelled.body).toMatchObject({ status: 'FAILED', failure: { code: 'PaymentFailed' } });
    const reversed = await product.must(ada, 'POST', `${await begin('AUTHORIZED')}/reverse`);
    expect(reversed.body).toMatchObject({ status: 'REVERSED', reversed: 'requested' });
  });

  it('records a payment that is refused, and explains it to whom it concerns', async () => {
    const refused = await product.call(ada, 'POST', '/v1/payments', {
      body: { kind: 'P2P', payer: adas, payee: bens, amount: '99999999', currency: 'XOF' },
    });
    expect(refused.status).toBe(422);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused.body).toMatchObject({
      type: 'https://kora.dev/problems/insufficient-funds',
      code: 'InsufficientFunds',
      accountId: adas,
      asked: '99999999',
      available: expect.stringMatching(/^[0-9]+$/) as string,
    });
    const at = `/v1/payments/${refused.body.paymentId}`;
    expect((await product.must(ada, 'GET', at)).body.failure).toHaveProperty('available');
    // What ada had is not ben's affair.
    const seenByBen = await product.must(ben, 'GET', at);
    expect(seenByBen.body.failure).toEqual({ code: 'InsufficientFunds', message: 'The account has too little' });
    expect(seenByBen.body.failure).not.toHaveProperty('available');
    const { body } = await product.must(ben, 'GET', `${at}/timeline`);
    expect(JSON.stringify(body)).not.toContain('available');
    expect(body.items.at(-1)?.sentence).toBe('It failed: the account has too little. No money was moved by it.');
  });

  it('needs the signature of the device for a cash-out', async () => {
    const body = { kind: 'CASH_OUT', payer: adas, provider: 'cash', amount: '500', currency: 'XOF' };
    const bare = await product.call(ada, 'POST', '/v1/payments', { body });
    expect([bare.status, bare.body.code]).toEqual([401, 'SignatureRequired']);
    const signed = await product.must(ada, 'POST', '/v1/payments', { body, signed: true });
    expect(signed.body).toMatchObject({ status: 'AUTHORIZED', authorized: '500' });
    const settled = await product.must(shop, 'POST', `/v1/payments/${signed.body.paymentId}/capture`);
    expect(settled.body.status).toBe('CAPTURED');
  });

  it('tells the balance now, at a time, and as recorded at a position', async () => {
    const carl = await product.user('customer');
    const carls = await openWallet(carl, 'customer');
    const before = new Date(Date.now() - 60_000).toISOString();
    await cashIn(carls, '700');
    const position = await product.log.lastPosition();
    await cashIn(carls, '50');
    const ask = async (query: string) =>
      (await product.must(carl, 'GET', `/v1/accounts/${carls}/balance${query}`)).body as unknown;
    expect(await ask('')).toEqual({ accountId: carls, currency: 'XOF', posted: '750', held: '0' });
    expect(await ask(`?at=${before}`)).toMatchObject({ posted: '0', at: before });
    expect(await ask(`?position=${position}`)).toMatchObject({ posted: '700', position });
    const both = await product.call(carl, 'GET', `/v1/accounts/${carls}/balance?at=${before}&position=1`);
    expect([both.status, both.body.field]).toEqual([400, 'position']);
  });

  it('lists entries and payments in pages that neither repeat nor lose one', async () => {
    const dora = await product.user('customer');
    const doras = await openWallet(dora, 'customer');
    for (let number = 1; number <= 7; number += 1) await cashIn(doras, String(number));
    await product.projected();
    const all = async (path: string, field: 'amount') => {
      const seen: string[] = [];
      for (let cursor = ''; ;) {
        const { body } = await product.must(dora, 'GET', `${path}limit=3${cursor}`);
        seen.push(...body.items.map((item) => item[field]));
        if (body.next === undefined) return seen;
        cursor = `&cursor=${body.next}`;
      }
    };
    const amounts = ['7', '6', '5', '4', '3', '2', '1'];
    expect(await all(`/v1/accounts/${doras}/entries?`, 'amount')).toEqual(amounts);
    expect(await all(`/v1/accounts/${doras}/entries?order=oldest&`, 'amount')).toEqual(amounts.toReversed());
    expect(await all('/v1/payments?kind=CASH_IN&', 'amount')).toEqual(amounts);
    expect((await product.must(dora, 'GET', '/v1/payments?status=FAILED')).body.items).toEqual([]);
    expect((await product.must(dora, 'GET', '/v1/accounts')).body.items).toMatchObject([{ accountId: doras }]);
    const bad = await product.call(dora, 'GET', '/v1/payments?cursor=nonsense');
    expect([bad.status, bad.body.field]).toEqual([400, 'cursor']);
  });

  it('freezes, unfreezes and closes for admins who sign', async () => {
    const admin = await product.user('admin');
    const emil = await product.user('customer');
    const emils = await openWallet(emil, 'customer');
    const order = (what: string, more = {}) =>
      product.call(admin, 'POST', `/v1/accounts/${emils}/${what}`, { body: { reason: 'test' }, ...more });
    expect((await order('freeze')).body.code).toBe('SignatureRequired');
    expect((await order('freeze', { signed: true })).body).toMatchObject({ status: 'FROZEN' });
    expect((await order('unfreeze', { signed: true })).body).toMatchObject({ status: 'OPEN' });
    await cashIn(emils, '5');
    const full = await order('close', { signed: true });
    expect([full.status, full.body]).toMatchObject([409, { code: 'AccountNotEmpty', posted: '5' }]);
    await product.must(emil, 'POST', '/v1/payments', {
      body: { kind: 'P2P', payer: emils, payee: adas, amount: '5', currency: 'XOF' },
    });
    await product.projected();
    expect((await order('close', { signed: true })).body).toMatchObject({ status: 'CLOSED' });
  });
});
