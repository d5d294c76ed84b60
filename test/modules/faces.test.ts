import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KoraRequest } from '../../src/actors/requests.ts';
import type { Outcome } from '../../src/actors/runtime.ts';
import { type Kora, startKora } from '../../src/composition.ts';
import { PAGE_LIMIT_MAX, type Page, type PageOf } from '../../src/kernel/page.ts';
import type { PaymentView } from '../../src/machines/payment/view.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { caller, cashIn, p2p } from '../support/wallets.ts';

/**
 * Proves that Ledger and Payments work together through their faces alone: what one opens the other pays from, whose a
 * wallet is decides what is listed as theirs, and a list read page by page is the list.
 */
describe('Ledger and Payments, over their faces', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let kora: Kora;
  const start = (): Promise<Kora> => {
    const config = configFrom({ DATABASE_URL: database.connectionString, KORA_LOG_LEVEL: 'silent' });
    return startKora(config, {
      logger: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
      without: ['doors', 'scheduler'],
    });
  };
  beforeAll(async () => {
    database = await createTestDatabase();
    kora = await start();
  });
  afterAll(async () => {
    await kora.close();
    await database.drop();
  });

  async function must(request: KoraRequest): Promise<Outcome & { ok: true }> {
    const outcome =
      'walletType' in request || 'accountId' in request
        ? await kora.ledger.carryOut(request, caller)
        : await kora.payments.carryOut(request, caller);
    if (!outcome.ok) throw new Error(`${request.type} was refused: ${outcome.refusal.message}`);
    return outcome;
  }

  const open = (accountId: string, owner?: string, walletType: 'customer' | 'merchant' = 'customer') =>
    must({
      type: 'OpenAccount',
      idempotencyKey: `open ${accountId}`,
      accountId,
      walletType,
      currency: 'XOF',
      ...(owner !== undefined && { owner }),
    });

  /** All of a list, by pages of this size. */
  async function all<Item>(read: (page: Page) => Promise<PageOf<Item>>, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    for (let cursor: string | undefined, pages = 0; ; pages++) {
      const page = await read({ limit, ...(cursor !== undefined && { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      expect(pages).toBeLessThan(1_000);
      items.push(...page.items);
      if (page.next === undefined) return items;
      cursor = page.next;
    }
  }

  it('keep whose a wallet is, through everything that happens to it and a restart', async () => {
    expect(await open('own-1', 'user:ada')).toMatchObject({ account: { owner: 'user:ada' } });
    await must(cashIn('own-1', 500n));
    await must({ type: 'FreezeAccount', idempotencyKey: 'freeze own-1', accountId: 'own-1', reason: 'a check' });
    await must({ type: 'UnfreezeAccount', idempotencyKey: 'thaw own-1', accountId: 'own-1', reason: 'it was nothing' });
    await kora.projected();
    await kora.close();
    kora = await start();
    // Woken from its last row, which was not the one that opened it.
    expect(await kora.ledger.account('own-1')).toMatchObject({ owner: 'user:ada', posted: '500' });
    // A duplicate is answered as the first time.
    expect(await open('own-1', 'user:ada')).toMatchObject({
      duplicate: true,
      account: { owner: 'user:ada', posted: '0' },
    });
    const mine = await kora.ledger.accountsOf({ owner: 'user:ada' }, { limit: 10 });
    expect(mine).toMatchObject({ items: [{ id: 'own-1', owner: 'user:ada', posted: 500n }] });
    expect(await kora.ledger.accountsOf({ owner: 'user:nobody' }, { limit: 10 })).toEqual({ items: [] });
  });

  it('refuse an owner that is none, and the same key with another owner', async () => {
    const request = { type: 'OpenAccount', accountId: 'own-2', walletType: 'customer', currency: 'XOF' } as const;
    for (const owner of ['ada', 'user:', 'service:pos', 'user:a b', `user:${'x'.repeat(65)}`]) {
      expect(await kora.ledger.carryOut({ ...request, idempotencyKey: owner, owner }, caller)).toMatchObject({
        ok: false,
        refusal: { code: 'Invalid', field: 'owner' },
      });
    }
    await open('own-2', 'user:ada');
    expect(
      await kora.ledger.carryOut({ ...request, idempotencyKey: 'open own-2', owner: 'user:eve' }, caller),
    ).toMatchObject({ ok: false, refusal: { code: 'IdempotencyConflict' } });
  });

  it('write the session of a request into the log, and pay once whatever the session', async () => {
    await open('session-1');
    const request = cashIn('session-1', 5n, 'once');
    const first = await kora.payments.carryOut(request, { ...caller, session: 'session-a' });
    const second = await kora.payments.carryOut(request, { ...caller, session: 'session-b' });
    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    const { position = 0 } = first as Outcome & { ok: true };
    const units = [];
    for await (const unit of kora.log.readAll(position - 1)) units.push(unit.meta);
    expect(units[0]).toMatchObject({ session: 'session-a', principal: caller.principal });
  });

  describe('lists', () => {
    const ids = Array.from({ length: 7 }, (_, index) => `list-${index}`);
    const made: string[] = [];

    beforeAll(async () => {
      await open('list-shop', 'user:shop', 'merchant');
      for (const [index, id] of ids.entries()) {
        await open(id, index < 4 ? 'user:lea' : undefined);
        await must(cashIn(id, 1_000n));
      }
      for (let number = 0; number < 40; number++) {
        const [payer, payee] = [ids[number % 7] as string, ids[(number * 3 + 1) % 7] as string];
        // 5,000 is too much: it is recorded as FAILED.
        const amount = number % 8 === 7 ? 5_000n : BigInt(number + 1);
        if (payer === payee) continue;
        const outcome = await kora.payments.carryOut(p2p(payer, payee, amount, `list ${number}`), caller);
        made.push(outcome.payment?.paymentId ?? '');
      }
      for (let number = 0; number < 9; number++) {
        const kind = 'MERCHANT';
        const upTo = (['INITIATED', 'AUTHORIZED', 'CAPTURED'] as const)[number % 3] ?? 'SETTLED';
        const payer = ids[number % 7] as string;
        const pay = { type: 'Pay', kind, payer, payee: 'list-shop', amount: 30n, currency: 'XOF', upTo } as const;
        const { payment } = await must({ ...pay, idempotencyKey: `shop ${number}` });
        const paymentId = payment?.paymentId ?? '';
        made.push(paymentId);
        if (number === 4) await must({ type: 'Reverse', idempotencyKey: 'back 4', paymentId, reason: 'requested' });
        if (number === 5) await must({ type: 'Settle', idempotencyKey: 'settle 5', paymentId });
      }
      await kora.projected();
    });

    const list = (filter: Parameters<Kora['payments']['list']>[0], limit = 3): Promise<PaymentView[]> =>
      all((page) => kora.payments.list(filter, page), limit);

    it('give each payment once, the newest first, with pages of any size', async () => {
      const whole = await list({}, PAGE_LIMIT_MAX);
      const newest = [...made].reverse().map((id) => whole.find(({ paymentId }) => paymentId === id)?.paymentId);
      expect(new Set(whole.map(({ paymentId }) => paymentId)).size).toBe(whole.length);
      // Payments of one commit have one time; here every one had a commit of its own, or its id decides.
      expect(whole.map(({ paymentId }) => paymentId).filter((id) => made.includes(id))).toHaveLength(newest.length);
      for (const limit of [1, 2, 7, 50]) expect(await list({}, limit)).toEqual(whole);
    });

    it('show payments as the payments themselves do', async () => {
      for (const view of await list({}, PAGE_LIMIT_MAX)) {
        expect(view).toEqual(await kora.payments.payment(view.paymentId));
      }
    });

    it('are narrowed by account, owner, status, kind and time, and by all at once', async () => {
      const whole = await list({}, PAGE_LIMIT_MAX);
      const names = (view: PaymentView, of: readonly string[]): boolean =>
        of.includes(view.payer ?? '') || of.includes(view.payee ?? '');
      const mine = ids.slice(0, 4);
      const middle = (await kora.payments.timeline(made[20] as string))[0]?.recordedAt as string;
      const madeAt = new Map<string, string>();
      for (const { paymentId } of whole) {
        madeAt.set(paymentId, (await kora.payments.timeline(paymentId))[0]?.recordedAt as string);
      }
      const since = ({ paymentId }: PaymentView): boolean => (madeAt.get(paymentId) as string) >= middle;
      const expected: [Parameters<Kora['payments']['list']>[0], (view: PaymentView) => boolean][] = [
        [{ account: 'list-2' }, (view) => names(view, ['list-2'])],
        [{ owner: 'user:lea' }, (view) => names(view, mine)],
        [{ owner: 'user:lea', account: 'list-2' }, (view) => names(view, ['list-2'])],
        [{ owner: 'user:lea', account: 'list-6' }, () => false],
        [{ owner: 'user:nobody' }, () => false],
        [{ status: 'FAILED' }, ({ status }) => status === 'FAILED'],
        [{ status: 'SETTLED' }, ({ status }) => status === 'SETTLED'],
        [{ status: 'REVERSED' }, ({ status }) => status === 'REVERSED'],
        [{ kind: 'MERCHANT' }, ({ kind }) => kind === 'MERCHANT'],
        [
          { kind: 'MERCHANT', status: 'AUTHORIZED' },
          ({ kind, status }) => kind === 'MERCHANT' && status === 'AUTHORIZED',
        ],
        [{ from: middle }, since],
        [{ to: middle }, (view) => !since(view)],
        [
          { owner: 'user:lea', account: 'list-1', kind: 'P2P', status: 'SETTLED', from: middle },
          (view) => names(view, ['list-1']) && view.kind === 'P2P' && view.status === 'SETTLED' && since(view),
        ],
      ];
      for (const [filter, belongs] of expected) {
        const what = JSON.stringify(filter);
        expect(await list(filter), what).toEqual(whole.filter(belongs));
      }
      // Nothing of this would be proven by empty lists.
      expect(whole.filter(({ status }) => status === 'FAILED').length).toBeGreaterThan(2);
      expect((await list({ owner: 'user:lea', kind: 'P2P', from: middle })).length).toBeGreaterThan(2);
    });

    it('go on where they were although new payments come meanwhile', async () => {
      const first = await kora.payments.list({ account: 'list-0' }, { limit: 2 });
      const rest = await all(({ cursor, ...page }) => {
        const from = cursor ?? first.next;
        return kora.payments.list({ account: 'list-0' }, { ...page, ...(from !== undefined && { cursor: from }) });
      }, 2);
      await must(p2p('list-0', 'list-1', 1n, 'meanwhile'));
      await kora.projected();
      const again = await all(({ cursor, ...page }) => {
        const from = cursor ?? first.next;
        return kora.payments.list({ account: 'list-0' }, { ...page, ...(from !== undefined && { cursor: from }) });
      }, 2);
      expect(again).toEqual(rest);
      expect((await kora.payments.list({ account: 'list-0' }, { limit: 1 })).items[0]?.amount).toBe('1');
    });

    it('of entries run either way, and add up to the balance', async () => {
      for (const account of ['list-1', 'list-shop', 'float:cash:XOF']) {
        const oldest = await all((page) => kora.ledger.entries(account, { ...page, from: 'oldest' }), 4);
        const newest = await all((page) => kora.ledger.entries(account, page), 4);
        expect(newest).toEqual([...oldest].reverse());
        for (const limit of [1, 3, PAGE_LIMIT_MAX]) {
          expect(await all((page) => kora.ledger.entries(account, page), limit)).toEqual(newest);
        }
        const posted = oldest.reduce((sum, { amount }) => sum + amount, 0n);
        expect((await kora.ledger.balance(account))?.posted).toBe(posted);
        const last = oldest.at(-2);
        expect((await kora.ledger.balance(account, { position: last?.position ?? 0 }))?.posted).toBe(
          posted - (oldest.at(-1)?.amount ?? 0n),
        );
      }
      expect(await kora.ledger.entries('nobody', { limit: 5 })).toEqual({ items: [] });
    });

    it('of accounts hold every account once', async () => {
      const whole = await all((page) => kora.ledger.accountsOf({}, page), 4);
      expect(whole.map(({ id }) => id)).toEqual(
        (await kora.ledger.accountsOf({}, { limit: PAGE_LIMIT_MAX })).items.map(({ id }) => id),
      );
      expect(whole.map(({ id }) => id)).toEqual(expect.arrayContaining([...ids, 'float:cash:XOF', 'list-shop']));
      const mine = await all((page) => kora.ledger.accountsOf({ owner: 'user:lea' }, page), 3);
      expect(mine.map(({ id }) => id)).toEqual(ids.slice(0, 4));
    });

    it('refuse a page that cannot be, and a cursor of another list', async () => {
      const { next = '' } = await kora.payments.list({ account: 'list-1' }, { limit: 2 });
      const wrong: [string, Promise<unknown>, string][] = [
        ['another account', kora.payments.list({ account: 'list-2' }, { limit: 2, cursor: next }), 'cursor'],
        [
          'another filter',
          kora.payments.list({ account: 'list-1', kind: 'P2P' }, { limit: 2, cursor: next }),
          'cursor',
        ],
        ['another list', kora.ledger.accountsOf({}, { limit: 2, cursor: next }), 'cursor'],
        ['another way', kora.ledger.entries('list-1', { limit: 2, cursor: next }), 'cursor'],
        [
          'one character off',
          kora.payments.list({ account: 'list-1' }, { limit: 2, cursor: `A${next.slice(1)}` }),
          'cursor',
        ],
        ['more of it', kora.payments.list({ account: 'list-1' }, { limit: 2, cursor: `${next}=` }), 'cursor'],
        ['no cursor at all', kora.payments.list({}, { limit: 2, cursor: 'eyJhIjoxfQ' }), 'cursor'],
        ['nothing', kora.payments.list({}, { limit: 2, cursor: '' }), 'cursor'],
        ['no items', kora.payments.list({}, { limit: 0 }), 'limit'],
        ['half an item', kora.ledger.entries('list-1', { limit: 1.5 }), 'limit'],
        ['too many', kora.ledger.accountsOf({}, { limit: PAGE_LIMIT_MAX + 1 }), 'limit'],
      ];
      for (const [what, page, field] of wrong) {
        await expect(page, what).rejects.toMatchObject({ name: 'PageError', code: 'Invalid', field });
      }
    });
  });
});
