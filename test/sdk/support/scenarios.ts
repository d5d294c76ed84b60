import {
  granted,
  Kora,
  KoraFault,
  KoraRefusal,
  memoryStore,
  type KoraOptions,
  type UserRole,
} from '../../../sdk/index.ts';
import { collected, isDense } from './collected.ts';
import type { Moment } from './cutting-proxy.ts';

/**
 * What people do with the client. The same code runs in Node and, bundled, in a browser, against the real product; what
 * it comes to is compared in the test. Nothing here knows where it runs.
 */
export interface Setting {
  readonly baseUrl: string;
  readonly streamUrl: string;
}

/** What only the test's process can do: money from a till, and trouble. */
export interface Controls {
  cashIn(accountId: string, amount: number): Promise<void>;
  /** Pays from one account to another, behind the client's back. */
  pay(payer: string, payee: string, amount: number): Promise<void>;
  /** A provider paid out: only services may say so. */
  settle(paymentId: string): Promise<void>;
  /** What an operator does at the command line. */
  grant(login: string, role: UserRole): Promise<void>;
  /** Waits until lists show what has happened. */
  projected(): Promise<void>;
  cutNext(request: string, moment: Moment): Promise<void>;
  cutEvery(request: string, moment: Moment): Promise<void>;
  cutNoMore(): Promise<void>;
  answerNext(request: string, answer: string): Promise<void>;
  cutStreams(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Requests that reached the http door and begin so, since the last time it was asked. */
  requests(beginning: string): Promise<number>;
  /** Connections that were opened to the stream door, since the last time it was asked. */
  sockets(): Promise<number>;
}

export const password = 'blue kettle over the river 42';
let people = 0;

export const newLogin = (): string => `p${(people += 1)}.${Math.random().toString(36).slice(2)}@example.com`;

/** A new person, logged in on a device of their own. */
export async function newcomer(
  setting: Setting,
  options: Partial<KoraOptions> = {},
  login = newLogin(),
): Promise<Kora> {
  const kora = new Kora({ ...setting, retry: { delayMs: 50 }, ...options });
  granted(await kora.identity.signUp({ login, password }));
  return kora;
}

/** A new person whom an operator gave a role. */
async function withRole(setting: Setting, controls: Controls, role: UserRole): Promise<Kora> {
  const login = newLogin();
  const kora = await newcomer(setting, {}, login);
  await controls.grant(login, role);
  // The token says which roles somebody has.
  granted(await kora.identity.logIn({ login, password }));
  return kora;
}

/** A new person with a wallet and money in it. */
async function withMoney(
  setting: Setting,
  controls: Controls,
  amount: number,
): Promise<{ readonly kora: Kora; readonly wallet: string }> {
  const kora = await newcomer(setting);
  const { accountId } = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' }));
  if (amount > 0) await controls.cashIn(accountId, amount);
  return { kora, wallet: accountId };
}

async function postedOf(kora: Kora, accountId: string): Promise<string> {
  return granted(await kora.accounts.balance(accountId)).posted;
}

async function all<Item>(list: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of list) items.push(item);
  return items;
}

export const scenarios = {
  /** Two people open wallets, one pays the other, and both can see it. */
  async openAndPay(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 5_000);
    const ben = await withMoney(setting, controls, 0);
    const paid = granted(
      await ada.kora.payments.pay({
        kind: 'P2P',
        amount: 1_500n,
        currency: 'XOF',
        payer: ada.wallet,
        payee: ben.wallet,
      }),
    );
    await controls.projected();
    const seen = granted(await ben.kora.payments.get(paid.paymentId));
    const timeline = granted(await ada.kora.payments.timeline(paid.paymentId));
    const pages = ada.kora.payments.list({ limit: 1 });
    const first = granted(await pages.page());
    return {
      status: paid.status,
      seenByBen: seen.status,
      balances: [await postedOf(ada.kora, ada.wallet), await postedOf(ben.kora, ben.wallet)],
      accounts: (await all(ada.kora.accounts.list())).map(({ accountId }) => accountId === ada.wallet),
      entries: (await all(ada.kora.accounts.entries(ada.wallet, { limit: 1 }))).map(({ amount }) => amount),
      payments: (await all(pages)).map(({ kind, status }) => `${kind} ${status}`),
      firstPage: [first.items.length, first.next !== undefined],
      sentences: timeline.items.every(({ sentence }) => sentence.length > 0) && timeline.items.length > 0,
    };
  },

  /** Everything that is refused comes back as a value with its code and figures. */
  async refusals(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 100);
    const ben = await withMoney(setting, controls, 0);
    const much = { kind: 'P2P', amount: 500n, currency: 'XOF', payer: ada.wallet, payee: ben.wallet } as const;
    const key = { idempotencyKey: `too much ${ada.wallet}` };
    const refused = await ada.kora.payments.pay(much, key);
    const again = await ada.kora.payments.pay(much, key);
    const foreign = await ben.kora.payments.pay({ ...much, amount: 1n });
    const nobody = await new Kora(setting).accounts.open({ type: 'customer', currency: 'XOF' });
    const short = await new Kora(setting).identity.signUp({ login: 'short@example.com', password: 'abc' });
    const wrong = await new Kora(setting).identity.logIn({ login: 'nobody@example.com', password });
    const thrown = await all(ben.kora.accounts.entries(ada.wallet)).catch((error: unknown) => error);
    return {
      refused: !refused.ok &&
        refused.refusal.code === 'InsufficientFunds' && [refused.refusal.available, refused.refusal.asked],
      again: !again.ok && again.refusal.code,
      foreign: !foreign.ok && foreign.refusal.code,
      nobody: !nobody.ok && nobody.refusal.code === 'Unauthenticated' && nobody.refusal.reason,
      short: !short.ok && short.refusal.code === 'PasswordRefused' && short.refusal.reason,
      wrong: !wrong.ok && wrong.refusal.code,
      thrown: thrown instanceof KoraRefusal && thrown.code,
      balance: await postedOf(ada.kora, ada.wallet),
    };
  },

  /** Connections that are cut at every moment of a payment, and gateways that speak for themselves: each is made once. */
  async cutConnections(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 10_000);
    const ben = await withMoney(setting, controls, 0);
    const statuses: string[] = [];
    const pay = async (): Promise<void> => {
      const payment = { kind: 'P2P', amount: 100n, currency: 'XOF', payer: ada.wallet, payee: ben.wallet } as const;
      statuses.push(granted(await ada.kora.payments.pay(payment, { timeoutMs: 2_000 })).status);
    };
    for (const moment of ['request', 'answer', 'half answer', 'silence'] as const) {
      await controls.cutNext('POST /v1/payments ', moment);
      await pay();
    }
    for (const answer of [badGateway, unavailable]) {
      await controls.answerNext('POST /v1/payments ', answer);
      await pay();
    }
    // Both the answer and that of the second try.
    for (let cut = 0; cut < 2; cut++) await controls.cutNext('POST /v1/payments ', 'answer');
    await pay();
    await controls.projected();
    return {
      statuses,
      balances: [await postedOf(ada.kora, ada.wallet), await postedOf(ben.kora, ben.wallet)],
      payments: (await all(ben.kora.payments.list())).length,
    };
  },

  /** Where nobody answers at all, a fault says so, and the key that it carries finishes the payment later. */
  async doorAway(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 1_000);
    const ben = await withMoney(setting, controls, 0);
    const payment = { kind: 'P2P', amount: 300n, currency: 'XOF', payer: ada.wallet, payee: ben.wallet } as const;
    await controls.cutEvery('POST /v1/payments ', 'answer');
    const fault = await ada.kora.payments.pay(payment).catch((error: unknown) => error);
    await controls.cutNoMore();
    if (!(fault instanceof KoraFault) || fault.idempotencyKey === undefined)
      throw new Error(`no fault: ${String(fault)}`);
    const paid = granted(await ada.kora.payments.pay(payment, { idempotencyKey: fault.idempotencyKey }));
    return { fault: fault.code, status: paid.status, balance: await postedOf(ada.kora, ada.wallet) };
  },

  /** A cash-out is signed by the device; also when its answer is lost, it is made once. */
  async cashOut(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 1_000);
    const out = { kind: 'CASH_OUT', amount: 400n, currency: 'XOF', payer: ada.wallet, provider: 'cash' } as const;
    await controls.cutNext('POST /v1/payments ', 'answer');
    const paid = granted(await ada.kora.payments.pay(out));
    const { available } = granted(await ada.kora.accounts.get(ada.wallet));
    return { status: paid.status, available };
  },

  /** Watching a payment tells its state, then what happens to it, and ends when the watcher has seen enough. */
  async watchPayment(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 1_000);
    const ben = await withMoney(setting, controls, 0);
    const made = granted(
      await ada.kora.payments.create({
        kind: 'P2P',
        amount: 100n,
        currency: 'XOF',
        payer: ada.wallet,
        payee: ben.wallet,
      }),
    );
    const told: string[] = [];
    for await (const news of ada.kora.watch(`payment/${made.paymentId}`)) {
      if (news.type === 'snapshot') {
        told.push(`is ${news.state?.status}`);
        granted(await ada.kora.payments.authorize(made.paymentId));
        granted(await ada.kora.payments.capture(made.paymentId));
      }
      if (news.type === 'unit') told.push(...news.events.map(({ type, status }) => `${type} ${status}`));
      if (told.at(-1)?.endsWith(' SETTLED') === true) break;
    }
    return told;
  },

  /**
   * Two accounts and a payment on one socket, over cut sockets and a restart of the server: each watcher is told everything
   * once, in order.
   */
  async watchOverRestart(setting: Setting, controls: Controls) {
    const ada = await withMoney(setting, controls, 1_000);
    const ben = await withMoney(setting, controls, 0);
    const theirs = { kind: 'P2P', amount: 1n, currency: 'XOF', payer: ada.wallet, payee: ben.wallet } as const;
    const { paymentId } = granted(await ada.kora.payments.create(theirs));
    await controls.sockets();
    const stop = new AbortController();
    const adas = collected(ada.kora.watch(`account/${ada.wallet}`, { signal: stop.signal }));
    const payments = collected(ada.kora.watch(`payment/${paymentId}`, { signal: stop.signal }));
    const twice = collected(ada.kora.watch(`account/${ada.wallet}`, { after: 0, signal: stop.signal }));
    await adas.until(({ versions }) => versions.length > 0);
    await payments.until(({ versions }) => versions.length > 0);
    await twice.until(({ versions }) => versions.length > 0);
    const socketsAtFirst = await controls.sockets();
    const some = async (): Promise<void> => {
      for (let count = 0; count < 5; count++) await controls.pay(ada.wallet, ben.wallet, 1);
    };
    await some();
    await controls.cutStreams();
    await some();
    await controls.stop();
    await controls.start();
    await some();
    granted(await ada.kora.payments.authorize(paymentId));
    granted(await ada.kora.payments.capture(paymentId));
    const { version } = granted(await ada.kora.accounts.get(ada.wallet));
    await adas.until(({ versions }) => versions.at(-1) === version);
    await twice.until(({ versions }) => versions.at(-1) === version);
    await payments.until(({ versions }) => versions.at(-1) === 4);
    stop.abort();
    await Promise.all([adas.over, payments.over, twice.over]);
    return {
      socketsAtFirst,
      version,
      adas: isDense(adas.told.versions),
      twice: [twice.told.versions[0], isDense(twice.told.versions)],
      payments: payments.told.versions,
    };
  },

  /** Many calls at once with a token that is no good any more: it is renewed once, and nobody notices. */
  async refreshOnce(setting: Setting, controls: Controls) {
    const kora = await newcomer(setting);
    const session = await kora.identity.session();
    if (session === undefined) throw new Error('nobody is logged in');
    const stale = new Kora({
      ...setting,
      device: kora.identity.device(),
      sessionStore: memoryStore({ ...session, accessToken: `${session.accessToken}x` }),
    });
    await controls.requests('');
    const answers = await Promise.all(Array.from({ length: 10 }, () => stale.identity.me()));
    const again = await stale.identity.me();
    return {
      ok: [...answers, again].every(({ ok }) => ok),
      refreshes: await controls.requests('POST /v1/identity/refresh'),
    };
  },

  /** Two clients that share a session, as tabs of a browser do: one of them renews it, and the other one notices. */
  async sharedSession(setting: Setting, controls: Controls) {
    const kora = await newcomer(setting);
    const session = await kora.identity.session();
    if (session === undefined) throw new Error('nobody is logged in');
    const sessionStore = memoryStore({ ...session, accessToken: `${session.accessToken}x` });
    const tabs = [1, 2, 3].map(() => new Kora({ ...setting, device: kora.identity.device(), sessionStore }));
    await controls.requests('');
    const answers = await Promise.all(tabs.map((tab) => tab.identity.me()));
    return { ok: answers.map(({ ok }) => ok), refreshes: await controls.requests('POST /v1/identity/refresh') };
  },

  /** Sessions on two devices; the password changed with the signature of one, and the end of both. */
  async sessions(setting: Setting) {
    const phone = new Kora(setting);
    const login = newLogin();
    granted(await phone.identity.signUp({ login, password }));
    const tablet = new Kora(setting);
    granted(await tablet.identity.logIn({ login, password }));
    const before = granted(await phone.identity.sessions()).length;
    const next = 'nine green lanterns, one quiet donkey';
    granted(await phone.identity.changePassword({ current: password, next }));
    const ended = await tablet.identity.me();
    const old = await tablet.identity.logIn({ login, password });
    granted(await tablet.identity.logIn({ login, password: next }));
    const stolen = await phone.identity.session();
    const thief = new Kora({ ...setting, sessionStore: memoryStore(stolen) });
    const elsewhere = await thief.identity.me();
    granted(await phone.identity.logOut());
    return {
      before,
      ended: !ended.ok && ended.refusal.code,
      old: !old.ok && old.refusal.code,
      elsewhere: !elsewhere.ok && elsewhere.refusal.code,
      session: (await phone.identity.session()) === undefined,
    };
  },

  /** A merchant takes a part of what was agreed to, is paid, and gives a part of that back; nothing more. */
  async merchant(setting: Setting, controls: Controls) {
    const shop = await withRole(setting, controls, 'merchant');
    const shops = granted(await shop.accounts.open({ type: 'merchant', currency: 'XOF' })).accountId;
    const ada = await withMoney(setting, controls, 10_000);
    const purchase = { kind: 'MERCHANT', amount: 6_000n, currency: 'XOF', payer: ada.wallet, payee: shops } as const;
    const { paymentId } = granted(await ada.kora.payments.pay({ ...purchase, upTo: 'AUTHORIZED' }));
    const captured = granted(await shop.payments.capture(paymentId, { amount: 4_000n }));
    const settle = await shop.payments.settle(paymentId);
    await controls.settle(paymentId);
    const refund = granted(await shop.payments.refund(paymentId, { amount: 1_000n }));
    const tooMuch = await shop.payments.refund(paymentId, { amount: 3_001n });
    const second = granted(await ada.kora.payments.pay({ ...purchase, upTo: 'AUTHORIZED' }));
    const reversed = granted(await shop.payments.reverse(second.paymentId));
    const third = granted(await ada.kora.payments.create(purchase));
    const cancelled = granted(await ada.kora.payments.cancel(third.paymentId));
    return {
      captured: [captured.status, captured.captured],
      settle: !settle.ok && settle.refusal.code,
      refund: [refund.kind, refund.status],
      tooMuch: !tooMuch.ok && tooMuch.refusal.code === 'RefundExceedsCaptured' && tooMuch.refusal.refundable,
      reversed: reversed.status,
      cancelled: cancelled.status,
      balances: [await postedOf(ada.kora, ada.wallet), await postedOf(shop, shops)],
    };
  },

  /** An admin freezes a wallet, signed by their device, and makes a merchant of its owner, whose client notices by itself. */
  async admin(setting: Setting, controls: Controls) {
    const boss = await withRole(setting, controls, 'admin');
    const ada = await withMoney(setting, controls, 100);
    const ben = await withMoney(setting, controls, 0);
    const payment = { kind: 'P2P', amount: 10n, currency: 'XOF', payer: ada.wallet, payee: ben.wallet } as const;
    const frozen = granted(await boss.accounts.freeze(ada.wallet, { reason: 'reported as stolen' }));
    const refused = await ada.kora.payments.pay(payment);
    granted(await boss.accounts.unfreeze(ada.wallet, { reason: 'found again' }));
    const paid = granted(await ada.kora.payments.pay(payment));
    const { userId = '' } = (await ada.kora.identity.session()) ?? {};
    granted(await boss.identity.changeRoles(userId, ['customer', 'merchant']));
    const shop = granted(await ada.kora.accounts.open({ type: 'merchant', currency: 'XOF' }));
    const closed = granted(await boss.accounts.close(shop.accountId, { reason: 'only a trial' }));
    return {
      frozen: frozen.status,
      refused: !refused.ok && refused.refusal.code,
      paid: paid.status,
      shop: shop.type,
      closed: closed.status,
    };
  },

  /** What a caller no longer waits for ends at once, with the caller's reason. */
  async aborted(setting: Setting, controls: Controls) {
    const { kora, wallet } = await withMoney(setting, controls, 0);
    const before = await kora.accounts.get(wallet, { signal: AbortSignal.abort(new Error('before')) }).catch(String);
    await controls.cutNext('GET /v1/accounts/', 'silence');
    const stop = new AbortController();
    const during = kora.accounts.get(wallet, { signal: stop.signal }).catch(String);
    setTimeout(() => stop.abort(new Error('during')), 100);
    const watched = await all(kora.watch(`account/${wallet}`, { signal: AbortSignal.abort() }));
    return { before, during: await during, watched };
  },

  /** A session that was ended elsewhere ends what is watched in it, with the reason. */
  async endedSession(setting: Setting, controls: Controls) {
    const { kora, wallet } = await withMoney(setting, controls, 0);
    const watched = collected(kora.watch(`account/${wallet}`));
    await watched.until(({ versions }) => versions.length > 0);
    const session = await kora.identity.session();
    granted(await kora.identity.endSession(session?.sessionId ?? ''));
    const error = await watched.over.catch((reason: unknown) => reason);
    const stranger = await newcomer(setting);
    const foreign = await all(stranger.watch(`account/${wallet}`)).catch((reason: unknown) => reason);
    return { error: (error as KoraRefusal).code, foreign: (foreign as KoraRefusal).code };
  },
} as const;

export type ScenarioName = keyof typeof scenarios;

const badGateway =
  'HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 11\r\nconnection: close\r\n\r\n<h1>no</h1>';
const unavailable =
  'HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';
