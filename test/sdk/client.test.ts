/**
 * The client does what it promises in Node and in a browser, against the real product: the same scenarios in both, with
 * connections that are cut and a server that goes and comes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumMissing } from '../support/chromium.ts';
import { Chromium, servePage } from './support/browser.ts';
import { controlsOf } from './support/controls.ts';
import { scenarios, type Controls, type ScenarioName, type Setting } from './support/scenarios.ts';
import { openStage, type Stage } from './support/stage.ts';

let page: Awaited<ReturnType<typeof servePage>>;
let stage: Stage;
let setting: Setting;
let controls: Controls;

beforeAll(async () => {
  page = await servePage();
  stage = await openStage({ KORA_ALLOWED_ORIGINS: page.origin });
  setting = stage.urls;
  controls = await controlsOf(stage);
});
afterAll(async () => {
  page.close();
  await stage.close();
});

type Run = (name: ScenarioName) => Promise<unknown>;

describe('in Node', () => everyScenario(() => (name) => scenarios[name](setting, controls)));

describe.skipIf(chromiumMissing !== undefined)(`in Chromium${chromiumMissing ? ` (${chromiumMissing})` : ''}`, () => {
  let chromium: Chromium;
  beforeAll(async () => (chromium = await Chromium.open(page.origin, controls)));
  afterAll(() => chromium.close());
  everyScenario(() => (name) => chromium.run(name, setting));

  it('is the same device with the same session after a reload, and its key cannot be read', async () => {
    const first = await chromium.run('signUpAndStay', setting);
    expect(first).toMatchObject({ stolen: 'safe' });
    const { deviceId } = first as { readonly deviceId: string };
    await chromium.reload();
    expect(await chromium.run('comeBack', setting)).toEqual({ deviceId, me: true, changed: true });
  });

  it('signs with the time of Kora on a device whose clock is wrong, and renews no token for it', async () => {
    expect(await chromium.run('wrongClock', setting)).toEqual({ changed: true, refreshes: 0 });
  });
});

function everyScenario(runs: () => Run): void {
  const run: Run = (name) => runs()(name);

  it('opens wallets and pays', async () => {
    expect(await run('openAndPay')).toEqual({
      status: 'SETTLED',
      seenByBen: 'SETTLED',
      balances: ['3500', '1500'],
      accounts: [true],
      entries: ['-1500', '5000'],
      payments: ['P2P SETTLED', 'CASH_IN SETTLED'],
      firstPage: [1, true],
      sentences: true,
    });
  });

  it('returns refusals as values, with their figures', async () => {
    expect(await run('refusals')).toEqual({
      refused: ['100', '500'],
      again: 'InsufficientFunds',
      foreign: 'NotFound',
      nobody: 'missing',
      short: 'short',
      wrong: 'WrongCredentials',
      thrown: 'NotFound',
      balance: '100',
    });
  });

  it('pays once over connections that are cut at any moment, and gateways that speak for themselves', async () => {
    expect(await run('cutConnections')).toEqual({
      statuses: Array.from({ length: 7 }, () => 'SETTLED'),
      balances: ['9300', '700'],
      payments: 7,
    });
  });

  it('says that it does not know, with the key that finishes the payment once', async () => {
    expect(await run('doorAway')).toEqual({ fault: 'Unreachable', status: 'SETTLED', balance: '700' });
  });

  it('signs cash-outs with the device, anew for each try', async () => {
    expect(await run('cashOut')).toEqual({ status: 'AUTHORIZED', available: '600' });
  });

  it('watches a payment until the watcher has seen enough', async () => {
    expect(await run('watchPayment')).toEqual([
      'is INITIATED',
      'PaymentAuthorized AUTHORIZED',
      'PaymentCaptured CAPTURED',
      'PaymentSettled SETTLED',
    ]);
  });

  it('resumes what is watched over cut sockets and a restart of the server, on one socket for different topics', async () => {
    expect(await run('watchOverRestart')).toMatchObject({
      // Two topics share a socket; the same topic watched again is on a second.
      socketsAtFirst: 2,
      adas: true,
      twice: [1, true],
      payments: [1, 2, 3, 4],
    });
  });

  it('renews a token once for all calls that need it', async () => {
    expect(await run('refreshOnce')).toEqual({ ok: true, refreshes: 1 });
  });

  it('renews a session once for all clients that share it', async () => {
    expect(await run('sharedSession')).toEqual({ ok: [true, true, true], refreshes: 1 });
  });

  it('lists and ends sessions, and signs a change of password', async () => {
    expect(await run('sessions')).toEqual({
      before: 2,
      ended: 'Unauthenticated',
      old: 'WrongCredentials',
      elsewhere: 'Unauthenticated',
      session: true,
    });
  });

  it('lets a merchant capture, be settled, refund and reverse, and a customer cancel', async () => {
    expect(await run('merchant')).toEqual({
      captured: ['CAPTURED', '4000'],
      settle: 'Forbidden',
      refund: ['REFUND', 'SETTLED'],
      tooMuch: '3000',
      reversed: 'REVERSED',
      cancelled: 'FAILED',
      balances: ['7000', '3000'],
    });
  });

  it('lets an admin freeze, unfreeze and close, and gives a client its new roles', async () => {
    expect(await run('admin')).toEqual({
      frozen: 'FROZEN',
      refused: 'AccountFrozen',
      paid: 'SETTLED',
      shop: 'merchant',
      closed: 'CLOSED',
    });
  });

  it('ends at once what the caller no longer waits for', async () => {
    expect(await run('aborted')).toEqual({ before: 'Error: before', during: 'Error: during', watched: [] });
  });

  it('tells the watchers of a session that was ended, and of a topic that is not theirs', async () => {
    expect(await run('endedSession')).toEqual({ error: 'Unauthenticated', foreign: 'NotFound' });
  });
}
