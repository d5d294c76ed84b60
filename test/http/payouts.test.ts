import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { said, told } from '../support/instructions.ts';
import { type Answered, type HttpProduct, openProduct, type Someone } from './support/product.ts';

/**
 * Proves that a payout says at any time which part of its money is where, whatever became of its slices, and that it is
 * made and called off once, however often it is asked for.
 */
describe('payouts over http', () => {
  let product: HttpProduct;
  let service: Someone;
  let till: string;
  let payOut: (amount: string, of?: object, key?: string) => Promise<Answered>;
  const must = (path: string, body?: object): Promise<Answered> =>
    product.must(service, 'POST', path, ...(body === undefined ? [] : [{ body }]));
  const look = async (id: string) =>
    (await product.must(service, 'GET', `/v1/payouts/${id}`)).body as unknown as Looked;
  const slicesOf = ({ body }: Answered): string[] => body.slices.map(({ paymentId }) => paymentId);
  const posted = async () => (await product.must(service, 'GET', `/v1/accounts/${till}`)).body as unknown as Wallet;

  interface Looked {
    readonly status: string;
    readonly amount: string;
    readonly money: Readonly<Record<string, string>>;
    readonly slices: readonly Readonly<Record<string, unknown>>[];
  }
  interface Wallet {
    readonly posted: string;
    readonly held: string;
  }

  beforeAll(async () => {
    product = await openProduct({}, { railLimits: () => ({ min: 100n, max: 1_000n }) });
    service = await product.service();
    till = (await must('/v1/accounts', { type: 'treasury', currency: 'XOF' })).body.accountId;
    await must('/v1/payments', {
      kind: 'FUNDING',
      payee: till,
      provider: 'bank:AB',
      amount: '100000',
      currency: 'XOF',
    });
    payOut = (amount, of = {}, key) => {
      const body = { payer: till, provider: 'bank:AB', beneficiary: 'ben-1', amount, currency: 'XOF', ...of };
      return product.call(service, 'POST', '/v1/payouts', { body, ...(key !== undefined && { key }) });
    };
  });
  afterAll(() => product.close());

  it('cuts it to the rail, and holds all of it', async () => {
    const made = await payOut('2050', { rail: 'instant' });
    expect([made.status, made.body]).toMatchObject([
      201,
      { state: 'OPEN', amount: '2050', payer: till, beneficiary: 'ben-1', rail: 'instant', version: 1 },
    ]);
    expect(made.body.slices.map(({ amount }) => amount)).toEqual(['1000', '950', '100']);
    expect(await posted()).toMatchObject({ posted: '100000', held: '2050' });
    expect(await look(made.body.payoutId)).toMatchObject({
      status: 'pending',
      money: { pending: '2050', sent: '0', inDoubt: '0', settled: '0', failed: '0', returned: '0' },
      slices: ['1000', '950', '100'].map((amount) => ({ amount, status: 'pending', attempts: 0 })),
    });
    const slice = await product.must(service, 'GET', `/v1/payments/${slicesOf(made)[0] ?? ''}`);
    expect(slice.body).toMatchObject({
      kind: 'PAYOUT',
      payout: made.body.payoutId,
      beneficiary: 'ben-1',
      rail: 'instant',
    });
    expect((await must(`/v1/payouts/${made.body.payoutId}/cancel`)).body).toMatchObject({ state: 'CANCELLED' });
    expect(await posted()).toMatchObject({ held: '0' });
  });

  it('says of each slice where it is, and the parts are the whole', async () => {
    const made = await payOut('4500');
    const [sent = '', doubted = '', settled = '', refused = '', pending = ''] = slicesOf(made);
    await told(product.runtime, sent, { said: 'accepted', providerRef: 'ref-s' });
    await told(product.runtime, doubted, 'unknown');
    await told(product.runtime, settled, { said: 'settled', providerRef: 'ref-d', providerFee: 5n });
    await told(product.runtime, refused, { said: 'refused', code: 'no such account', elsewhere: false });
    const { payoutId } = made.body;
    expect(await look(payoutId)).toMatchObject({
      status: 'processing',
      money: { pending: '500', sent: '1000', inDoubt: '1000', settled: '1000', failed: '1000', returned: '0' },
      slices: [
        { paymentId: sent, status: 'sent', attempts: 1, connector: 'bank-1', providerRef: 'ref-s' },
        { paymentId: doubted, status: 'in_doubt', attempts: 1 },
        { paymentId: settled, status: 'settled', providerRef: 'ref-d', providerFee: '5' },
        { paymentId: refused, status: 'failed', failure: { code: 'PaymentFailed', reason: 'no such account' } },
        { paymentId: pending, status: 'pending', attempts: 0 },
      ],
    });

    // Cancelled is what no provider has; the rest goes on to its end.
    const cancelled = await must(`/v1/payouts/${payoutId}/cancel`, { reason: 'not wanted any more' });
    expect(cancelled.body).toMatchObject({ state: 'CANCELLED', cancelled: 'not wanted any more' });
    expect(await look(payoutId)).toMatchObject({ status: 'processing', money: { pending: '0', failed: '1500' } });
    const again = await product.call(service, 'POST', `/v1/payouts/${payoutId}/cancel`);
    expect([again.status, again.body.code]).toEqual([409, 'IllegalTransition']);
    const live = await product.call(service, 'POST', `/v1/payments/${doubted}/cancel`);
    expect([live.status, live.body]).toMatchObject([409, { code: 'InstructionLive', connector: 'bank-1' }]);

    const resolved = await must(`/v1/payments/${doubted}/resolve`, { outcome: 'settled', providerRef: 'ref-x' });
    expect(resolved.body).toMatchObject({ status: 'SETTLED' });
    await said(product.runtime, sent, { said: 'confirmed', providerRef: 'ref-s' });
    expect(await look(payoutId)).toMatchObject({
      status: 'partially_settled',
      money: { pending: '0', sent: '0', inDoubt: '0', settled: '3000', failed: '1500', returned: '0' },
    });

    // What a provider sends back of it is a payment of its own, and of the settled part.
    const returned = await must(`/v1/payments/${settled}/return`, { amount: '400' });
    expect(returned.body).toMatchObject({ kind: 'PAYOUT_RETURN', status: 'SETTLED', original: settled, payee: till });
    const more = await product.call(service, 'POST', `/v1/payments/${settled}/return`, { body: { amount: '601' } });
    expect([more.status, more.body]).toMatchObject([422, { code: 'RefundExceedsCaptured', refundable: '600' }]);
    expect(await look(payoutId)).toMatchObject({
      status: 'partially_settled',
      money: { settled: '3000', returned: '400' },
    });

    // The list says the same as the payout itself.
    await product.projected();
    const { money, status } = await look(payoutId);
    const list = await product.must(service, 'GET', `/v1/payouts?payer=${till}&limit=1`);
    expect(list.body.items[0]).toMatchObject({ payoutId, money, status, state: 'CANCELLED', slices: 5, version: 2 });
    const { rows } = await product.admin.query(
      'select id, status, provider_ref, connector_id, idempotency_key from projections.payout_slices where parent_payout_id = $1 order by id',
      [payoutId],
    );
    const row = (id: string, rest: object) => ({
      id,
      idempotency_key: id,
      provider_ref: null,
      connector_id: 'bank-1',
      ...rest,
    });
    expect(rows).toEqual(
      [
        row(sent, { status: 'settled', provider_ref: 'ref-s' }),
        row(doubted, { status: 'settled', provider_ref: 'ref-x' }),
        row(settled, { status: 'settled', provider_ref: 'ref-d' }),
        row(refused, { status: 'failed' }),
        row(pending, { status: 'failed', connector_id: null }),
      ].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
  });

  it('is refused where the treasury has too little: that is recorded, and answered the same again', async () => {
    const poor = (await must('/v1/accounts', { type: 'treasury', currency: 'XOF' })).body.accountId;
    const refused = await payOut('500', { payer: poor }, 'poor');
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { code: 'InsufficientFunds', available: '0', asked: '500' },
    ]);
    await must('/v1/payments', { kind: 'FUNDING', payee: poor, provider: 'bank:AB', amount: '900', currency: 'XOF' });
    const again = await payOut('500', { payer: poor }, 'poor');
    expect([again.status, again.headers.get('kora-replayed')]).toEqual([422, 'true']);
    expect({ ...again.body, correlationId: '' }).toEqual({ ...refused.body, correlationId: '' });
    // Nobody's memory but the log's.
    await product.admin.query('delete from gateway.idempotency_log');
    const byLog = await payOut('500', { payer: poor }, 'poor');
    expect({ ...byLog.body, correlationId: '' }).toEqual({ ...refused.body, correlationId: '' });
    expect(await look(refused.body.payoutId)).toMatchObject({
      status: 'failed',
      failure: { code: 'InsufficientFunds' },
      money: { failed: '500', pending: '0' },
      slices: [],
    });
    const cancel = await product.call(service, 'POST', `/v1/payouts/${refused.body.payoutId}/cancel`);
    expect([cancel.status, cancel.body.code]).toEqual([409, 'IllegalTransition']);
  });

  it('is made once for one key, and called off once for another', async () => {
    const [one, other] = await Promise.all([payOut('300', {}, 'once'), payOut('300', {}, 'once')]);
    const first = one.status === 201 ? one : other;
    expect([one.status, other.status].every((status) => status === 201 || status === 409)).toBe(true);
    await product.admin.query('delete from gateway.idempotency_log');
    const again = await payOut('300', {}, 'once');
    expect([again.status, again.headers.get('kora-replayed'), again.body]).toEqual([201, 'true', first.body]);
    const changed = await payOut('301', {}, 'once');
    expect([changed.status, changed.body.code]).toEqual([422, 'IdempotencyConflict']);

    const cancel = (reason: string) =>
      product.call(service, 'POST', `/v1/payouts/${first.body.payoutId}/cancel`, { body: { reason }, key: 'stop' });
    const stopped = await cancel('a');
    await product.admin.query('delete from gateway.idempotency_log');
    expect((await cancel('a')).body).toEqual(stopped.body);
    expect((await cancel('b')).body.code).toBe('IdempotencyConflict');
  });

  it('is refused where it cannot be right, and that leaves nothing', async () => {
    const wrong: [object, string, object][] = [
      [{ payer: 'nobodys-till' }, '500', { code: 'NotFound' }],
      [{ currency: 'EUR' }, '500', { code: 'Invalid', field: 'currency' }],
      [{ provider: 'Bank' }, '500', { code: 'Invalid', field: 'provider' }],
      [{ beneficiary: '+221 77 000 00 01' }, '500', { code: 'Invalid', field: 'beneficiary' }],
      [{}, '50', { code: 'Invalid', field: 'amount' }],
      [{}, '200001', { code: 'Invalid', field: 'amount' }],
    ];
    for (const [of, amount, expected] of wrong) expect((await payOut(amount, of)).body).toMatchObject(expected);
    const none = await product.call(service, 'GET', `/v1/payouts/${'x'.repeat(27)}`);
    expect([none.status, none.body.code]).toEqual([404, 'NotFound']);
  });

  it('is listed in pages, the newest first', async () => {
    const own = (await must('/v1/accounts', { type: 'treasury', currency: 'XOF' })).body.accountId;
    await must('/v1/payments', { kind: 'FUNDING', payee: own, provider: 'bank:AB', amount: '9000', currency: 'XOF' });
    const made: string[] = [];
    for (const amount of ['100', '200', '300', '400', '500'])
      made.unshift((await payOut(amount, { payer: own })).body.payoutId);
    await product.projected();
    const seen: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const { body } = await product.must(service, 'GET', `/v1/payouts?payer=${own}&limit=2${cursor}`);
      seen.push(...body.items.map(({ payoutId }) => payoutId));
      next = body.next;
    }
    expect(seen).toEqual(made);
    const other = await product.must(service, 'GET', `/v1/payouts?payer=${own}&provider=bank:CD`);
    expect(other.body.items).toEqual([]);
  });

  it('tells a timeline of what a provider was told, with the state that each fact left', async () => {
    const made = await payOut('100');
    const [slice = ''] = slicesOf(made);
    await told(product.runtime, slice, 'unknown');
    await said(product.runtime, slice, { said: 'unresolvable', reason: 'cannot be asked' });
    await must(`/v1/payments/${slice}/resolve`, { outcome: 'refused', reason: 'not in the statement' });
    const { body } = await product.must(service, 'GET', `/v1/payments/${slice}/timeline`);
    expect(body.items.map(({ state, sentence }) => `${state}: ${sentence}`)).toEqual([
      `INITIATED: A slice of 100 XOF of a payout from ${till} through bank:AB was asked for.`,
      expect.stringMatching(/^AUTHORIZED: 100 XOF is held on account/),
      'AUTHORIZED: bank:AB is being told to do it, through bank-1.',
      'AUTHORIZED: What became of it at bank:AB is not known (no answer in time); it is being asked for.',
      'AUTHORIZED: bank:AB cannot say what became of it (cannot be asked): people are looking into it.',
      'AUTHORIZED: bank:AB refused it (not in the statement); nothing was moved there.',
      'FAILED: It failed: somebody ended it, with the words "not in the statement". No money was moved by it.',
    ]);
    const half = await product.call(service, 'POST', `/v1/payments/${slice}/resolve`, { body: { outcome: 'settled' } });
    expect([half.status, half.body.field]).toEqual([400, 'providerRef']);
  });
});

describe('a customer whose payment is with a provider', () => {
  let product: HttpProduct;
  beforeAll(async () => {
    product = await openProduct();
  });
  afterAll(() => product.close());

  it('is not told which connector, by which reference, or why there', async () => {
    const [service, ada] = await Promise.all([product.service(), product.user('customer')]);
    const body = { type: 'customer', currency: 'XOF' };
    const { accountId } = (await product.must(ada, 'POST', '/v1/accounts', { body })).body;
    const cashIn = { kind: 'CASH_IN', payee: accountId, provider: 'cash', amount: '900', currency: 'XOF' };
    await product.must(service, 'POST', '/v1/payments', { body: cashIn });
    const out = {
      kind: 'CASH_OUT',
      payer: accountId,
      provider: 'cash',
      amount: '300',
      currency: 'XOF',
      beneficiary: 'ada-1',
    };
    const { paymentId } = (await product.must(ada, 'POST', '/v1/payments', { body: out, signed: true })).body;
    await told(product.runtime, paymentId, 'unknown', 'secret-connector');
    const cancel = await product.call(ada, 'POST', `/v1/payments/${paymentId}/cancel`);
    expect([cancel.status, cancel.body.code]).toEqual([409, 'IllegalTransition']);
    await said(product.runtime, paymentId, { said: 'accepted', providerRef: 'SECRET-REF' });
    const seen = [cancel];
    for (const path of ['', '/timeline']) seen.push(await product.must(ada, 'GET', `/v1/payments/${paymentId}${path}`));
    for (const { text } of seen) expect(text).not.toMatch(/secret/i);
    expect(seen[1]?.body).toMatchObject({ status: 'CAPTURED', beneficiary: 'ada-1' });
  });
});
