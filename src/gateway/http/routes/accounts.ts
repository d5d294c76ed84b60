import type { Access } from '../route.ts';
import { route } from '../route.ts';
import { notThere } from '../problem.ts';
import { owns, reachOf } from '../ownership.ts';
import { account, accountParams } from '../schemas/account.ts';
import { accountOfView } from '../views.ts';

const readers: Access = {
  roles: { customer: 'own', merchant: 'own', support: 'any', reviewer: 'any', admin: 'any', service: 'any' },
  scope: 'accounts:read',
};

const getAccount = route({
  method: 'GET',
  path: '/v1/accounts/:id',
  operation: 'getAccount',
  tag: 'accounts',
  summary: 'An account',
  params: accountParams,
  answers: { 200: account },
  access: readers,
  handle: async ({ params: { id }, principal }, { ledger }) => {
    const view = await ledger.account(id);
    if (view === undefined) return notThere('account', id);
    if (reachOf(readers, principal) === 'own' && !owns(principal, view)) return notThere('account', id);
    return { status: 200, body: accountOfView(view) };
  },
});

export const accountRoutes = [getAccount];
