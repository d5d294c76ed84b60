import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../src/gateway/http/routes.ts';
import type { UserRole } from '../../src/identity/index.ts';
import { credentials, goodPassword, newDevice, newLogin } from '../identity/support.ts';
import { type Answered, type Asked, type HttpProduct, openProduct, type Someone } from './support/product.ts';

/**
 * Walks every route of the door as everybody who may come, from one table of expectations. Ada owns what is asked for and
 * pays; Mel is the merchant whom she pays; Sam and Max are strangers with the same roles. What a route says of itself
 * (`access`) is not used: it would expect whatever is there.
 */
const everybody = [
  'nobody',
  'ada',
  'sam',
  'mel',
  'max',
  'support',
  'reviewer',
  'admin',
  'service',
  'reading service',
  'settling service',
  'paying service',
  'operating service',
] as const;
type Caller = (typeof everybody)[number];

interface Things {
  readonly product: HttpProduct;
  readonly who: (caller: Caller) => Someone | undefined;
  /** Accounts of Ada, Sam and Mel. */
  readonly adas: string;
  readonly sams: string;
  readonly mels: string;
  /** A new account of Ada's. */
  readonly account: () => Promise<string>;
  /** A new webhook of this service. Default: of the one that everything is allowed to. */
  readonly webhook: (service?: string) => Promise<string>;
  /** A new purchase of Ada's from Mel, in this state. */
  readonly purchase: (upTo: string) => Promise<string>;
  /** A treasury that has money, and a new payout from it of one slice, which is settled. */
  readonly till: string;
  readonly payout: () => Promise<{ readonly payoutId: string; readonly slice: string }>;
}

interface Row {
  readonly operation: string;
  /** Which of several ways to call the operation. */
  readonly case?: string;
  /** Statuses in the order of `everybody`. */
  readonly expect: readonly number[];
  /** What is asked for, made anew for each caller. */
  readonly ask: (things: Things, caller: Caller) => Promise<readonly [method: string, path: string, asked?: Asked]>;
  /** `check` looks at refusals too. */
  readonly checkRefusals?: true;
  /** Looks at a good answer. */
  readonly check?: (answer: Answered, caller: Caller, things: Things) => void;
}

const ownRole = (caller: Caller): string => (caller === 'mel' || caller === 'max' ? 'merchant' : 'customer');
const signed = { signed: true } as const;
const csv = { 'content-type': 'text/csv' };
const noCase = 'x'.repeat(27);
const noStatement = '0b0c9a3e-6f5d-4d0e-9a39-3c9f1a0a7a10';
const payoutFrom = (payer: string) => ({
  ...{ payer, provider: 'bank:AB', beneficiary: 'ben-1', amount: '10', currency: 'XOF' },
});

//  nobody ada  sam  mel  max  supp revw admn serv read settle payout operate
const table: readonly Row[] = [
  {
    operation: 'openAccount',
    expect: [401, 201, 201, 201, 201, 403, 403, 201, 201, 403, 403, 403, 403],
    ask: (_, caller) => Promise.resolve(['POST', '/v1/accounts', { body: { type: ownRole(caller), currency: 'XOF' } }]),
  },
  {
    operation: 'openAccount',
    case: 'for Ada',
    expect: [401, 201, 403, 403, 403, 403, 403, 201, 201, 403, 403, 403, 403],
    ask: ({ who }) =>
      Promise.resolve([
        'POST',
        '/v1/accounts',
        { body: { type: 'customer', currency: 'XOF', owner: who('ada')?.principal } },
      ]),
  },
  {
    operation: 'openAccount',
    case: 'with a limit',
    expect: [401, 403, 403, 403, 403, 403, 403, 201, 201, 403, 403, 403, 403],
    ask: (_, caller) =>
      Promise.resolve(['POST', '/v1/accounts', { body: { type: ownRole(caller), currency: 'XOF', limit: '5' } }]),
  },
  {
    operation: 'openAccount',
    case: 'of a treasury',
    expect: [401, 403, 403, 403, 403, 403, 403, 201, 201, 403, 403, 403, 403],
    ask: () => Promise.resolve(['POST', '/v1/accounts', { body: { type: 'treasury', currency: 'XOF' } }]),
  },
  {
    operation: 'listAccounts',
    expect: [401, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/accounts?limit=200']),
    check: ({ body }, caller, { adas }) => {
      const ids = body.items.map(({ accountId }) => accountId);
      expect(ids.includes(adas)).toBe(!['sam', 'mel', 'max'].includes(caller));
    },
  },
  {
    operation: 'listAccounts',
    case: 'of Ada',
    expect: [401, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: ({ who }) => Promise.resolve(['GET', `/v1/accounts?owner=${who('ada')?.principal ?? ''}`]),
    check: ({ body }, caller) => {
      expect(body.items.length > 0).toBe(!['sam', 'mel', 'max'].includes(caller));
    },
  },
  {
    operation: 'getAccount',
    expect: [401, 200, 404, 404, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: ({ adas }) => Promise.resolve(['GET', `/v1/accounts/${adas}`]),
  },
  {
    operation: 'getBalance',
    expect: [401, 200, 404, 404, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: ({ adas }) => Promise.resolve(['GET', `/v1/accounts/${adas}/balance`]),
  },
  {
    operation: 'getBalance',
    case: 'of a system account',
    expect: [401, 404, 404, 404, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/accounts/float:cash:XOF/balance']),
  },
  {
    operation: 'listEntries',
    expect: [401, 200, 404, 404, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: ({ adas }) => Promise.resolve(['GET', `/v1/accounts/${adas}/entries`]),
  },
  ...(['freeze', 'unfreeze', 'close'] as const).map((what): Row => ({
    operation: `${what}Account`,
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 200, 403, 403, 403, 403],
    ask: async ({ account, product, who }) => {
      const id = await account();
      const body = { reason: 'walk' };
      if (what === 'unfreeze') await product.must(who('service'), 'POST', `/v1/accounts/${id}/freeze`, { body });
      return ['POST', `/v1/accounts/${id}/${what}`, { body, ...signed }];
    },
  })),
  {
    operation: 'setLimit',
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 200, 403, 403, 403, 403],
    ask: async ({ account }) => [
      'POST',
      `/v1/accounts/${await account()}/limit`,
      { body: { limit: '100', reason: 'walk' }, ...signed },
    ],
  },
  {
    operation: 'pay',
    case: 'from Ada to Sam',
    expect: [401, 201, 404, 404, 404, 403, 403, 403, 201, 403, 403, 403, 403],
    ask: ({ adas, sams }) =>
      Promise.resolve([
        'POST',
        '/v1/payments',
        { body: { kind: 'P2P', payer: adas, payee: sams, amount: '1', currency: 'XOF' } },
      ]),
  },
  {
    operation: 'pay',
    case: 'cash out from Ada',
    expect: [401, 201, 404, 404, 404, 403, 403, 403, 201, 403, 403, 403, 403],
    ask: ({ adas }) =>
      Promise.resolve([
        'POST',
        '/v1/payments',
        { body: { kind: 'CASH_OUT', payer: adas, provider: 'cash', amount: '1', currency: 'XOF' }, ...signed },
      ]),
  },
  ...[
    { kind: 'CASH_IN', what: 'that money came in' },
    { kind: 'FUNDING', what: 'that a treasury was funded' },
  ].map(({ kind, what }): Row => ({
    operation: 'pay',
    case: `say ${what}`,
    // Funding is of a treasury, which the caller's own wallet is not: only of that is a service told.
    expect: [401, 403, 403, 403, 403, 403, 403, 403, kind === 'CASH_IN' ? 201 : 400, 403, 403, 403, 403],
    ask: ({ adas }) =>
      Promise.resolve([
        'POST',
        '/v1/payments',
        { body: { kind, payee: adas, provider: 'cash', amount: '1', currency: 'XOF' } },
      ]),
  })),
  {
    operation: 'pay',
    case: 'settle a purchase at once',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 201, 403, 403, 403, 403],
    ask: ({ adas, mels }) =>
      Promise.resolve([
        'POST',
        '/v1/payments',
        { body: { kind: 'MERCHANT', payer: adas, payee: mels, amount: '1', currency: 'XOF', upTo: 'SETTLED' } },
      ]),
  },
  {
    operation: 'getPayment',
    expect: [401, 200, 404, 200, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: async ({ purchase }) => ['GET', `/v1/payments/${await purchase('AUTHORIZED')}`],
  },
  {
    operation: 'getTimeline',
    expect: [401, 200, 404, 200, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: async ({ purchase }) => ['GET', `/v1/payments/${await purchase('AUTHORIZED')}/timeline`],
  },
  {
    operation: 'listPayments',
    expect: [401, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: async ({ product }) => {
      await product.projected();
      return ['GET', '/v1/payments?kind=MERCHANT&limit=200'];
    },
    check: ({ body }, caller) => {
      expect(body.items.length > 0).toBe(!['sam', 'max'].includes(caller));
    },
  },
  {
    operation: 'listPayments',
    case: "of Ada's account",
    expect: [401, 200, 404, 404, 404, 200, 200, 200, 200, 200, 403, 403, 403],
    ask: ({ adas }) => Promise.resolve(['GET', `/v1/payments?account=${adas}`]),
  },
  {
    operation: 'authorizePayment',
    expect: [401, 200, 404, 403, 404, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: async ({ purchase }) => ['POST', `/v1/payments/${await purchase('INITIATED')}/authorize`],
  },
  {
    operation: 'capturePayment',
    expect: [401, 403, 404, 200, 404, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: async ({ purchase }) => ['POST', `/v1/payments/${await purchase('AUTHORIZED')}/capture`],
  },
  {
    operation: 'settlePayment',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 200, 403, 403],
    ask: async ({ purchase }) => ['POST', `/v1/payments/${await purchase('CAPTURED')}/settle`],
  },
  {
    operation: 'reversePayment',
    expect: [401, 403, 404, 200, 404, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: async ({ purchase }) => ['POST', `/v1/payments/${await purchase('AUTHORIZED')}/reverse`],
  },
  {
    operation: 'cancelPayment',
    expect: [401, 200, 404, 403, 404, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: async ({ purchase }) => ['POST', `/v1/payments/${await purchase('INITIATED')}/cancel`],
  },
  {
    operation: 'refundPayment',
    expect: [401, 403, 403, 201, 404, 403, 403, 403, 201, 403, 403, 403, 403],
    ask: async ({ purchase }) => [
      'POST',
      `/v1/payments/${await purchase('SETTLED')}/refund`,
      { body: { amount: '1' } },
    ],
  },
  {
    // Its signature says whose it is: no token helps.
    operation: 'takeProviderCallback',
    expect: [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401],
    ask: () => Promise.resolve(['POST', '/v1/providers/momo-1/callbacks', { body: { status: 'confirmed' } }]),
  },
  {
    operation: 'resolvePayment',
    // Nothing was told to any provider: that is what is wrong with it, for who may say it.
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 400, 403, 400, 403, 403],
    ask: async ({ purchase }) => [
      'POST',
      `/v1/payments/${await purchase('AUTHORIZED')}/resolve`,
      { body: { outcome: 'refused', reason: 'declined' } },
    ],
    checkRefusals: true,
    check: ({ body, status }) => {
      if (status === 400) expect(body).toMatchObject({ field: 'instruction' });
    },
  },
  {
    operation: 'askAboutPayment',
    // Nobody can be asked here: that is what is wrong with it, for who may ask.
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 409, 403, 409, 403, 403],
    ask: async ({ purchase }) => ['POST', `/v1/payments/${await purchase('CAPTURED')}/ask`],
    checkRefusals: true,
    check: ({ body, status }) => {
      if (status === 409) expect(body).toMatchObject({ code: 'NotAskable' });
    },
  },
  {
    operation: 'returnPayment',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 201, 403, 201, 403, 403],
    ask: async ({ product, who, payout }) => {
      const { slice } = await payout();
      for (const step of ['capture', 'settle'])
        await product.must(who('service'), 'POST', `/v1/payments/${slice}/${step}`);
      return ['POST', `/v1/payments/${slice}/return`, { body: { amount: '4' } }];
    },
    check: ({ body }, _, { till }) => {
      expect(body).toMatchObject({ kind: 'PAYOUT_RETURN', status: 'SETTLED', payee: till });
    },
  },
  {
    operation: 'createPayout',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 201, 403, 403, 201, 403],
    ask: ({ till }) => Promise.resolve(['POST', '/v1/payouts', { body: payoutFrom(till) }]),
  },
  {
    operation: 'getPayout',
    expect: [401, 403, 403, 403, 403, 200, 200, 200, 200, 403, 403, 200, 403],
    ask: async ({ payout }) => ['GET', `/v1/payouts/${(await payout()).payoutId}`],
  },
  {
    operation: 'listPayouts',
    expect: [401, 403, 403, 403, 403, 200, 200, 200, 200, 403, 403, 200, 403],
    ask: ({ till }) => Promise.resolve(['GET', `/v1/payouts?payer=${till}`]),
  },
  {
    operation: 'cancelPayout',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 200, 403],
    ask: async ({ payout }) => ['POST', `/v1/payouts/${(await payout()).payoutId}/cancel`],
  },
  // No bank is known to this door: who may hand a file in is told so, and everybody else is not let in.
  {
    operation: 'uploadStatement',
    expect: [401, 403, 403, 403, 403, 403, 400, 403, 400, 403, 403, 403, 403],
    ask: () => Promise.resolve(['POST', '/v1/statements?profile=bank:AB', { headers: csv, text: 'a;b' }]),
  },
  {
    operation: 'listStatements',
    expect: [401, 403, 403, 403, 403, 403, 200, 403, 200, 403, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/statements']),
  },
  ...(['getStatement', 'listStatementLines'] as const).map((operation): Row => ({
    operation,
    expect: [401, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403, 403, 403],
    ask: () => {
      const rest = operation === 'getStatement' ? '' : '/lines';
      return Promise.resolve(['GET', `/v1/statements/${noStatement}${rest}`]);
    },
  })),
  {
    operation: 'releaseStatement',
    expect: [401, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403],
    ask: () =>
      Promise.resolve(['POST', `/v1/statements/${noStatement}/release`, { body: { reason: 'walk' }, ...signed }]),
  },
  {
    operation: 'markStatementLines',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 204, 403, 403, 403, 403],
    ask: () =>
      Promise.resolve(['PUT', '/v1/statement-lines', { body: { lines: [{ lineId: noStatement, status: 'known' }] } }]),
  },
  {
    operation: 'getStatementBalances',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/statement-balances?profile=bank:AB&date=2026-11-27']),
  },
  {
    operation: 'verifyToken',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: () => Promise.resolve(['POST', '/v1/identity/verify-token', { body: { token: 'none' } }]),
  },
  {
    operation: 'verifySensitive',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403, 403],
    ask: () => {
      const body = { token: 'none', method: 'POST', path: '/', bodySha256: '0'.repeat(64) };
      return Promise.resolve(['POST', '/v1/identity/verify-sensitive', { body }]);
    },
  },
  {
    operation: 'readFeed',
    expect: [401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/feeds/payments']),
  },
  {
    operation: 'listConnectors',
    expect: [401, 403, 403, 403, 403, 200, 200, 200, 200, 403, 403, 403, 200],
    ask: () => Promise.resolve(['GET', '/v1/connectors']),
  },
  {
    operation: 'getConnector',
    expect: [401, 403, 403, 403, 403, 200, 200, 200, 200, 403, 403, 403, 200],
    ask: () => Promise.resolve(['GET', '/v1/connectors/momo-1']),
  },
  {
    operation: 'forceConnector',
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 200, 403, 403, 403, 200],
    ask: (_, caller) =>
      Promise.resolve([
        'POST',
        `/v1/connectors/momo-${caller.replace(' ', '-')}/force`,
        { body: { state: 'OPEN', reason: 'walk' }, ...signed },
      ]),
    check: ({ body }) => expect(body).toMatchObject({ state: 'OPEN', forced: true, reason: 'walk' }),
  },
  {
    operation: 'addWebhook',
    expect: [401, 403, 403, 403, 403, 403, 403, 201, 201, 403, 403, 403, 403],
    ask: () =>
      Promise.resolve(['POST', '/v1/webhooks', { body: { url: 'https://a.example/', types: ['*'] }, ...signed }]),
  },
  {
    operation: 'listWebhooks',
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 200, 403, 403, 403, 403],
    ask: async ({ webhook }) => {
      await webhook();
      return ['GET', '/v1/webhooks'];
    },
    check: ({ body, text }) => {
      expect(body.items.length).toBeGreaterThan(0);
      expect(text).not.toContain('whsec_');
    },
  },
  {
    operation: 'listWebhookDeliveries',
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 200, 403, 403, 403, 403],
    ask: async ({ webhook }) => ['GET', `/v1/webhooks/${await webhook()}/deliveries`],
  },
  {
    operation: 'listWebhookDeliveries',
    case: 'of another service',
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 404, 403, 403, 403, 403],
    ask: async ({ webhook }) => ['GET', `/v1/webhooks/${await webhook('other')}/deliveries`],
  },
  ...(
    [
      ['rotateWebhookSecret', 'POST', '/rotate', 200],
      ['replayWebhookDeliveries', 'POST', '/replay', 200],
      ['skipWebhookDelivery', 'POST', '/skip', 409],
      ['removeWebhook', 'DELETE', '', 204],
    ] as const
  ).flatMap(([operation, method, path, done]): Row[] =>
    (['shop', 'other'] as const).map((service) => ({
      operation,
      case: `of ${service}`,
      expect: [401, 403, 403, 403, 403, 403, 403, done, service === 'shop' ? done : 404, 403, 403, 403, 403],
      ask: async ({ webhook }) => [
        method,
        `/v1/webhooks/${await webhook(service)}${path}`,
        { ...(path === '/skip' && { body: { eventId: `evt_${'x'.repeat(22)}` } }), ...signed },
      ],
    })),
  ),
  ...['/health/live', '/health/ready', '/openapi.json', '/.well-known/jwks.json'].map((path): Row => ({
    operation:
      { '/health/live': 'getLiveness', '/health/ready': 'getReadiness', '/openapi.json': 'getOpenApi' }[path] ?? 'jwks',
    expect: everybody.map(() => 200),
    ask: () => Promise.resolve(['GET', path]),
  })),
  // Nothing is reconciled here: who may is told that cases are elsewhere.
  ...(
    [
      ['listCases', '/v1/cases'],
      ['exportCases', '/v1/cases.csv'],
      ['getCase', `/v1/cases/${noCase}`],
      ['getReconciliationReport', '/v1/reconciliation/report?date=2026-11-27'],
    ] as const
  ).map(([operation, path]): Row => ({
    operation,
    expect: [401, 403, 403, 403, 403, 404, 404, 404, 404, 403, 403, 403, 403],
    ask: () => Promise.resolve(['GET', path]),
  })),
  ...(
    [
      ['assignCase', 'assign', { assignee: 'user:ama' }],
      ['commentCase', 'comment', { text: 'seen' }],
      ['escalateCase', 'escalate', { reason: 'seen' }],
      ['resolveCase', 'resolve', { resolution: { kind: 'dismiss' }, reason: 'seen' }],
    ] as const
  ).map(([operation, path, body]): Row => ({
    operation,
    expect: [401, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403, 403, 403],
    ask: () => Promise.resolve(['POST', `/v1/cases/${noCase}/${path}`, { body, ...signed }]),
  })),
  {
    operation: 'approveCase',
    expect: [401, 403, 403, 403, 403, 403, 404, 404, 403, 403, 403, 403, 403],
    ask: () =>
      Promise.resolve(['POST', `/v1/cases/${noCase}/approve`, { body: { proposal: 1, reason: 'seen' }, ...signed }]),
  },
  {
    operation: 'signUp',
    expect: everybody.map(() => 201),
    ask: () =>
      Promise.resolve(['POST', '/v1/identity/sign-up', { body: credentials(newLogin(), newDevice(), goodPassword) }]),
  },
  {
    operation: 'logIn',
    expect: everybody.map(() => 401),
    ask: () =>
      Promise.resolve(['POST', '/v1/identity/log-in', { body: credentials(newLogin(), newDevice(), goodPassword) }]),
  },
  {
    operation: 'refresh',
    expect: everybody.map(() => 401),
    ask: () =>
      Promise.resolve([
        'POST',
        '/v1/identity/refresh',
        { body: { refreshToken: 'x'.repeat(43) }, headers: { 'kora-device': 'some-device' } },
      ]),
  },
  {
    operation: 'me',
    expect: [401, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/identity/me']),
    check: ({ body }, caller, { who }) => expect(body.principal).toBe(who(caller)?.principal),
  },
  {
    operation: 'listSessions',
    expect: [401, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 403],
    ask: () => Promise.resolve(['GET', '/v1/identity/sessions']),
  },
  {
    operation: 'endSession',
    case: "of Ada's, who then needs another",
    expect: [401, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 403],
    ask: async ({ product, who }, caller) => {
      const { body } = await product.must(who('ada'), 'GET', '/v1/identity/sessions');
      const other = body.items.find(({ current }) => !current);
      const id = caller === 'ada' ? '01890a5d-ac96-774b-bcce-b302099a8057' : other?.id;
      return ['DELETE', `/v1/identity/sessions/${id ?? ''}`];
    },
  },
  {
    operation: 'changePassword',
    expect: [401, 401, 401, 401, 401, 401, 401, 401, 403, 403, 403, 403, 403],
    ask: () =>
      Promise.resolve([
        'POST',
        '/v1/identity/password',
        { body: { current: 'not-the-password-71', next: 'another-Pony-72-staple' }, ...signed },
      ]),
    checkRefusals: true,
    check: ({ body, status }, caller) => {
      if (status === 401) expect(body.code).toBe(caller === 'nobody' ? 'Unauthenticated' : 'WrongCredentials');
    },
  },
  {
    operation: 'changeRoles',
    expect: [401, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403],
    ask: async ({ product }) => {
      const { principal } = await product.user('customer');
      return ['PUT', `/v1/users/${principal.slice('user:'.length)}/roles`, { body: { roles: ['support'] } }];
    },
  },
  {
    // Last: it ends what the others stand on.
    operation: 'logOut',
    expect: [401, 204, 204, 204, 204, 204, 204, 204, 403, 403, 403, 403, 403],
    ask: () => Promise.resolve(['POST', '/v1/identity/log-out']),
  },
];

describe('every route, as everybody', () => {
  let things: Things;
  beforeAll(async () => {
    things = await makeThings();
  });
  afterAll(() => things.product.close());

  it('is in the table', () => {
    const walked = new Set(table.map(({ operation }) => operation));
    expect([...new Set(routes.map(({ operation }) => operation))].sort()).toEqual([...walked].sort());
    for (const row of table) expect(row.expect).toHaveLength(everybody.length);
  });

  const named = table.map((row) => ({ ...row, name: row.operation + (row.case === undefined ? '' : `: ${row.case}`) }));
  it.each(named)('$name', async ({ ask, check, checkRefusals, expect: expected }) => {
    const statuses: Record<string, string> = {};
    for (const caller of everybody) {
      const [method, path, asked] = await ask(things, caller);
      const answer = await things.product.call(things.who(caller), method, path, asked);
      statuses[caller] = `${answer.status}${answer.status >= 500 ? ` ${answer.text}` : ''}`;
      if (answer.status < 400 || checkRefusals === true) check?.(answer, caller, things);
    }
    expect(statuses).toEqual(Object.fromEntries(everybody.map((caller, index) => [caller, String(expected[index])])));
  });
});

describe('what is not there', () => {
  let things: Things;
  beforeAll(async () => {
    things = await makeThings();
  });
  afterAll(() => things.product.close());

  it('is answered, word for word, as what belongs to somebody else', async () => {
    const { product, who, adas, sams, purchase } = things;
    const [sam, max] = [who('sam'), who('max')];
    const payment = await purchase('AUTHORIZED');
    const nobodys = 'x'.repeat(27);
    const p2p = (payer: string, payee: string): Asked => ({
      body: { kind: 'P2P', payer, payee, amount: '1', currency: 'XOF' },
    });
    const asked: ((account: string, payment: string) => [Someone | undefined, string, string, Asked?])[] = [
      (account) => [sam, 'GET', `/v1/accounts/${account}`],
      (account) => [sam, 'GET', `/v1/accounts/${account}/balance`],
      (account) => [sam, 'GET', `/v1/accounts/${account}/balance?position=1`],
      (account) => [sam, 'GET', `/v1/accounts/${account}/entries`],
      (account) => [sam, 'GET', `/v1/payments?account=${account}`],
      (account) => [sam, 'POST', `/v1/accounts/${account}/freeze`, { body: { reason: 'mine?' } }],
      (account) => [sam, 'POST', '/v1/payments', p2p(account, sams)],
      (_, id) => [sam, 'GET', `/v1/payments/${id}`],
      (_, id) => [sam, 'GET', `/v1/payments/${id}/timeline`],
      ...['authorize', 'capture', 'settle', 'reverse', 'cancel'].map(
        (step) =>
          (_: string, id: string): [Someone | undefined, string, string] => [sam, 'POST', `/v1/payments/${id}/${step}`],
      ),
      (_, id) => [max, 'POST', `/v1/payments/${id}/refund`, { body: { amount: '1' } }],
    ];
    for (const ask of asked) {
      const theirs = await product.call(...ask(adas, payment));
      const none = await product.call(...ask('nobodys-account', nobodys));
      const [, method, path] = ask('{account}', '{payment}');
      expect(theirs.status, `${method} ${path}`).toSatisfy((status: number) => status === 404 || status === 403);
      const words = ({ status, text, headers, body }: Answered): unknown => ({
        status,
        text: text
          .replaceAll(adas, '{account}')
          .replaceAll('nobodys-account', '{account}')
          .replaceAll(payment, '{payment}')
          .replaceAll(nobodys, '{payment}')
          .replaceAll(body.correlationId, ''),
        headers: [...headers.keys()].sort(),
      });
      expect(words(theirs), `${method} ${path}`).toEqual(words(none));
    }
  });

  it('and an account that cannot be paid so is not there for people either', async () => {
    const { product, who, sams } = things;
    const treasury = (
      await product.must(who('service'), 'POST', '/v1/accounts', { body: { type: 'treasury', currency: 'XOF' } })
    ).body.accountId;
    const ghanas = (
      await product.must(who('ada'), 'POST', '/v1/accounts', { body: { type: 'customer', currency: 'GHS' } })
    ).body.accountId;
    const answers = [];
    for (const payee of [treasury, ghanas, 'nobodys-account']) {
      const body = { kind: 'P2P', payer: sams, payee, amount: '1', currency: 'XOF' };
      const { status, text, body: told } = await product.call(who('sam'), 'POST', '/v1/payments', { body });
      answers.push([status, text.replaceAll(payee, '').replaceAll(told.correlationId, '')]);
    }
    expect(answers[0]).toEqual(answers[2]);
    expect(answers[1]).toEqual(answers[2]);
    expect(answers[2]?.[0]).toBe(404);
  });
});

async function makeThings(): Promise<Things> {
  // The walk itself comes from one address.
  const product = await openProduct({ rates: { perAddress: 1_000_000, perUser: 1_000_000 } });
  const user = (...roles: UserRole[]) => product.user(...roles);
  const people: Partial<Record<Caller, Someone>> = {
    ada: await user('customer'),
    sam: await user('customer'),
    mel: await user('merchant'),
    max: await user('merchant'),
    support: await user('support'),
    reviewer: await user('reviewer'),
    admin: await user('admin'),
    service: await product.service(),
    'reading service': await product.service(['accounts:read', 'payments:read'], 'reader'),
    'settling service': await product.service(['payments:settle'], 'settler'),
    'paying service': await product.service(['payouts:write', 'payouts:read'], 'payer'),
    'operating service': await product.service(['connectors:operate', 'connectors:read'], 'operator'),
  };
  const opened = async (caller: Caller): Promise<string> => {
    const body = { type: ownRole(caller), currency: 'XOF' };
    return (await product.must(people[caller], 'POST', '/v1/accounts', { body })).body.accountId;
  };
  const pay = async (body: object): Promise<string> =>
    (await product.must(people.service, 'POST', '/v1/payments', { body: { currency: 'XOF', ...body } })).body.paymentId;
  const [adas, sams, mels] = await Promise.all([opened('ada'), opened('sam'), opened('mel')]);
  for (const payee of [adas, sams, mels]) await pay({ kind: 'CASH_IN', payee, provider: 'cash', amount: '100000' });
  const till = (
    await product.must(people.service, 'POST', '/v1/accounts', { body: { type: 'treasury', currency: 'XOF' } })
  ).body.accountId;
  await pay({ kind: 'FUNDING', payee: till, provider: 'bank:AB', amount: '100000' });
  await product.projected();
  return {
    product,
    till,
    payout: async () => {
      const { body } = await product.must(people.service, 'POST', '/v1/payouts', { body: payoutFrom(till) });
      return { payoutId: body.payoutId, slice: body.slices[0]?.paymentId ?? '' };
    },
    who: (caller) => people[caller],
    adas,
    sams,
    mels,
    account: () => opened('ada'),
    webhook: async (name) => {
      const body = { url: 'https://a.example/', types: ['*'] };
      return (await product.must(await product.service(undefined, name), 'POST', '/v1/webhooks', { body })).body.id;
    },
    purchase: (upTo) => pay({ kind: 'MERCHANT', payer: adas, payee: mels, amount: '10', upTo }),
  };
}
