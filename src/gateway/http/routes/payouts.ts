import type { Outcome } from '../../../actors/runtime.ts';
import type { PayoutRequest } from '../../../actors/requests.ts';
import { exponentOf } from '../../../kernel/currencies.ts';
import { invariant } from '../../../kernel/invariant.ts';
import { mayPayOut, mayReadPayouts } from '../../access.ts';
import { carriedOut } from '../command.ts';
import type { DoorParts } from '../parts.ts';
import { forbidden, notThere, problemOf, unknownCurrency } from '../problem.ts';
import { type Access, type Answer, type Call, type Done, route } from '../route.ts';
import {
  newPayout,
  payout,
  payoutCancellation,
  payoutDetails,
  payoutPage,
  payoutParams,
  payoutQuery,
} from '../schemas/payout.ts';

const readers: Access = {
  roles: { support: 'any', reviewer: 'any', admin: 'any', service: 'any' },
  scopes: ['payouts:read'],
};
const payers: Access = { roles: { service: 'any' }, scopes: ['payouts:write'] };

const createPayout = route({
  method: 'POST',
  path: '/v1/payouts',
  operation: 'createPayout',
  tag: 'payouts',
  summary: 'Pay out of a treasury, through a provider',
  description:
    'It is cut into as few slices as the rail allows, and all of it is held on the treasury at once. Each slice is a ' +
    'payment of kind PAYOUT, and one transaction at its bank. A refused payout is recorded: `payoutId` says where.',
  body: newPayout,
  answers: { 201: payout },
  problems: ['NotFound', 'InsufficientFunds', 'AccountFrozen', 'AccountClosed'],
  idempotent: true,
  access: payers,
  handle: (call, door) => {
    const { amount, ...rest } = call.body;
    if (exponentOf(rest.currency) === undefined) return Promise.resolve(unknownCurrency);
    const { idempotencyKey } = call;
    return paidOut(call, door, { type: 'CreatePayout', idempotencyKey, ...rest, amount: BigInt(amount) }, 201);
  },
});

const cancelPayout = route({
  method: 'POST',
  path: '/v1/payouts/:id/cancel',
  operation: 'cancelPayout',
  tag: 'payouts',
  summary: 'Cancel what no provider has yet',
  description:
    'Slices that are pending, and that no provider is being told of, fail, and their money is free again. The others go ' +
    'on to their end: look at the payout to see them.',
  params: payoutParams,
  body: payoutCancellation,
  bodyOptional: true,
  answers: { 200: payout },
  problems: ['IllegalTransition'],
  idempotent: true,
  access: payers,
  handle: (call, door) => {
    const { idempotencyKey, params, body } = call;
    const reason = body.reason ?? 'cancelled';
    return paidOut(call, door, { type: 'CancelPayout', idempotencyKey, payoutId: params.id, reason }, 200);
  },
});

const getPayout = route({
  method: 'GET',
  path: '/v1/payouts/:id',
  operation: 'getPayout',
  tag: 'payouts',
  summary: 'A payout as it is now, and exactly which part of its money is where',
  params: payoutParams,
  answers: { 200: payoutDetails },
  access: readers,
  handle: async ({ params: { id }, principal }, { payments }) => {
    const found = mayReadPayouts(principal) ? await payments.payout(id) : undefined;
    return found === undefined ? notThere('payout', id) : { status: 200, body: found };
  },
});

const listPayouts = route({
  method: 'GET',
  path: '/v1/payouts',
  operation: 'listPayouts',
  tag: 'payouts',
  summary: 'Payouts, the newest first',
  description:
    'From a read model: what happened a moment ago may be missing. `from` (included) and `to` (excluded) go by the time ' +
    'at which a payout was recorded.',
  query: payoutQuery,
  answers: { 200: payoutPage },
  access: readers,
  handle: async ({ query: { limit = 50, cursor, ...filter }, principal }, { payments }) => {
    if (!mayReadPayouts(principal)) return forbidden;
    const body = await payments.payouts(filter, { limit, ...(cursor !== undefined && { cursor }) });
    return { status: 200, body };
  },
});

function paidOut(call: Call, door: DoorParts, request: PayoutRequest, done: Done['status']): Promise<Answer> {
  if (!mayPayOut(call.principal)) return Promise.resolve(forbidden);
  return carriedOut(call, door, request, door.payments, (outcome) => answerOf(outcome, done));
}

function answerOf(outcome: Outcome, status: Done['status']): Answer {
  if (outcome.ok) {
    invariant(outcome.payout, 'a command on a payout is answered with the payout');
    return { status, body: outcome.payout };
  }
  const told = problemOf(outcome.refusal);
  const { payout: recorded } = outcome;
  return recorded === undefined ? told : { ...told, figures: { ...told.figures, payoutId: recorded.payoutId } };
}

export const payoutRoutes = [createPayout, listPayouts, getPayout, cancelPayout];
