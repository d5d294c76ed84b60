import type { AccountRequest } from '../../../actors/requests.ts';
import type { Outcome } from '../../../actors/runtime.ts';
import { exponentOf } from '../../../kernel/currencies.ts';
import { invariant } from '../../../kernel/invariant.ts';
import { mayOperateAccount, mayReadAccount, mayReadEverything } from '../../access.ts';
import { carriedOut, unproven } from '../command.ts';
import type { DoorParts } from '../parts.ts';
import { forbidden, notThere, problem, problemOf, unknownCurrency } from '../problem.ts';
import { type Access, type Answer, type Call, type Done, route } from '../route.ts';
import {
  account,
  accountPage,
  accountParams,
  accountQuery,
  anyAccountParams,
  balance,
  balanceQuery,
  entryPage,
  entryQuery,
  limitBody,
  newAccount,
  reasonBody,
} from '../schemas/account.ts';
import { accountOfRow, accountOfView, entryOf } from '../views.ts';

const readers: Access = {
  roles: { customer: 'own', merchant: 'own', support: 'any', reviewer: 'any', admin: 'any', service: 'any' },
  scopes: ['accounts:read'],
};
const openers: Access = {
  roles: { customer: 'own', merchant: 'own', admin: 'any', service: 'any' },
  scopes: ['accounts:write'],
};
const operators: Access = { roles: { admin: 'any', service: 'any' }, scopes: ['accounts:write'] };

const openAccount = route({
  method: 'POST',
  path: '/v1/accounts',
  operation: 'openAccount',
  tag: 'accounts',
  summary: 'Open an account',
  description:
    'Customers and merchants open wallets of their own, of the type of their role and on our terms: `accountId`, `limit` ' +
    'and `feeBps` are for admins and services, who also say whose the wallet is (`owner`).',
  body: newAccount,
  answers: { 201: account },
  problems: ['AccountExists'],
  idempotent: true,
  access: openers,
  handle: (call, door) => {
    const { type, owner, limit, ...rest } = call.body;
    if (exponentOf(rest.currency) === undefined) return Promise.resolve(unknownCurrency);
    const { roles, principal } = call.principal;
    const forThemselves = owner === undefined && !roles.includes('admin') && !roles.includes('service');
    return operated(
      call,
      door,
      {
        type: 'OpenAccount',
        idempotencyKey: call.idempotencyKey,
        walletType: type,
        ...rest,
        ...(limit !== undefined && { limit: BigInt(limit) }),
        ...(owner !== undefined && { owner }),
        ...(forThemselves && { owner: principal }),
      },
      201,
    );
  },
});

const listAccounts = route({
  method: 'GET',
  path: '/v1/accounts',
  operation: 'listAccounts',
  tag: 'accounts',
  summary: 'Accounts, by id',
  description:
    'From a read model: what was opened a moment ago may be missing. Staff and services see all accounts, system accounts ' +
    'included, and may narrow them to an `owner`.',
  query: accountQuery,
  answers: { 200: accountPage },
  access: readers,
  handle: async ({ query: { owner, ...page }, principal }, { ledger }) => {
    const everything = mayReadEverything(principal, 'accounts:read');
    // Somebody else's are as many as nobody's.
    if (!everything && owner !== undefined && owner !== principal.principal)
      return { status: 200, body: { items: [] } };
    const whose = everything ? owner : principal.principal;
    const { items, next } = await ledger.accountsOf(whose === undefined ? {} : { owner: whose }, pageOf(page));
    return { status: 200, body: { items: items.map(accountOfRow), ...(next !== undefined && { next }) } };
  },
});

const getAccount = route({
  method: 'GET',
  path: '/v1/accounts/:id',
  operation: 'getAccount',
  tag: 'accounts',
  summary: 'A wallet as it is now',
  params: accountParams,
  answers: { 200: account },
  access: readers,
  handle: async ({ params: { id }, principal }, { ledger }) => {
    const view = await ledger.account(id);
    if (view === undefined || !mayReadAccount(principal, view)) return notThere('account', id);
    return { status: 200, body: accountOfView(view) };
  },
});

const getBalance = route({
  method: 'GET',
  path: '/v1/accounts/:id/balance',
  operation: 'getBalance',
  tag: 'accounts',
  summary: 'A balance: now, at a time, or as recorded at a position',
  description:
    '`at` goes by business time: everything that held by then, whenever it was recorded. `position` is what was recorded ' +
    'up to there. A hold has no business time: `held` is absent with `at`.',
  params: anyAccountParams,
  query: balanceQuery,
  answers: { 200: balance },
  access: readers,
  handle: async ({ params: { id }, query, principal }, { ledger }) => {
    if (query.at !== undefined && query.position !== undefined) {
      return problem('Invalid', 'position: either at or position, not both', { figures: { field: 'position' } });
    }
    if (!(await isReadable(id, principal, ledger))) return notThere('account', id);
    const found = await ledger.balance(id, query);
    if (found === undefined) return notThere('account', id);
    const { posted, held, currency } = found;
    return {
      status: 200,
      body: {
        accountId: id,
        ...(currency !== undefined && { currency }),
        posted: posted.toString(),
        ...(held !== undefined && { held: held.toString() }),
        ...query,
      },
    };
  },
});

const listEntries = route({
  method: 'GET',
  path: '/v1/accounts/:id/entries',
  operation: 'listEntries',
  tag: 'accounts',
  summary: 'What moved on an account',
  description: 'From the log, without lag; the newest first, or the oldest with `order=oldest`.',
  params: anyAccountParams,
  query: entryQuery,
  answers: { 200: entryPage },
  access: readers,
  handle: async ({ params: { id }, query: { order, ...page }, principal }, { ledger }) => {
    if (!(await isReadable(id, principal, ledger)) || (await ledger.balance(id)) === undefined) {
      return notThere('account', id);
    }
    const { items, next } = await ledger.entries(id, { ...pageOf(page), ...(order !== undefined && { from: order }) });
    return { status: 200, body: { items: items.map(entryOf), ...(next !== undefined && { next }) } };
  },
});

/** Somebody's own wallet; anything for those who read everything, system accounts too. */
async function isReadable(
  id: string,
  principal: Call['principal'],
  ledger: Pick<DoorParts['ledger'], 'account'>,
): Promise<boolean> {
  return mayReadEverything(principal, 'accounts:read') || mayReadAccount(principal, await ledger.account(id));
}

const reasoned = [
  ['freeze', 'FreezeAccount', 'Freeze: nothing is debited any more'],
  ['unfreeze', 'UnfreezeAccount', 'Unfreeze'],
  ['close', 'CloseAccount', 'Close: for ever, when posted, held and open payments are 0'],
] as const;

const reasonedCommands = reasoned.map(([name, type, summary]) =>
  route({
    method: 'POST',
    path: `/v1/accounts/:id/${name}`,
    operation: `${name}Account`,
    tag: 'accounts',
    summary,
    params: accountParams,
    body: reasonBody,
    answers: { 200: account },
    problems: ['IllegalTransition', ...(name === 'close' ? (['AccountNotEmpty'] as const) : [])],
    idempotent: true,
    sensitive: true,
    access: operators,
    handle: async (call, door) =>
      (await unproven(call, door)) ?? operated(call, door, request(call, type, call.params.id, call.body.reason), 200),
  }),
);

const setLimit = route({
  method: 'POST',
  path: '/v1/accounts/:id/limit',
  operation: 'setLimit',
  tag: 'accounts',
  summary: 'Grant how far below zero the account may go',
  params: accountParams,
  body: limitBody,
  answers: { 200: account },
  problems: ['IllegalTransition', 'InsufficientFunds'],
  idempotent: true,
  sensitive: true,
  access: operators,
  handle: async (call, door) => {
    const { limit, reason } = call.body;
    const { idempotencyKey, params } = call;
    const asked = { type: 'SetLimit', idempotencyKey, accountId: params.id, limit: BigInt(limit), reason } as const;
    return (await unproven(call, door)) ?? operated(call, door, asked, 200);
  },
});

function request<Type extends 'FreezeAccount' | 'UnfreezeAccount' | 'CloseAccount'>(
  { idempotencyKey }: Pick<Call, 'idempotencyKey'>,
  type: Type,
  accountId: string,
  reason: string,
): AccountRequest & { readonly type: Type } {
  return { type, idempotencyKey, accountId, reason };
}

function operated(call: Call, door: DoorParts, asked: AccountRequest, done: 200 | 201): Promise<Answer> {
  if (!mayOperateAccount(call.principal, asked)) {
    return Promise.resolve(forbidden);
  }
  return carriedOut(call, door, asked, door.ledger, (outcome) => accountAnswer(outcome, done));
}

function accountAnswer(outcome: Outcome, status: Done['status']): Answer {
  if (!outcome.ok) return problemOf(outcome.refusal);
  invariant(outcome.account, 'a command on an account is answered with the account');
  return { status, body: accountOfView(outcome.account) };
}

/** What a page is asked for: `limit` has its default from the schema. */
function pageOf({ limit = 50, cursor }: { limit?: number; cursor?: string }): { limit: number; cursor?: string } {
  return { limit, ...(cursor !== undefined && { cursor }) };
}

export const accountRoutes = [
  openAccount,
  listAccounts,
  getAccount,
  getBalance,
  listEntries,
  ...reasonedCommands,
  setLimit,
];
