import type { Static } from 'typebox';
import type { PayRequest } from '../../../actors/requests.ts';
import { exponentOf } from '../../../kernel/currencies.ts';
import { POSTINGS } from '../../../machines/payment/postings.ts';
import {
  farthestFor,
  mayPay,
  mayReadAccount,
  mayReadEverything,
  mayReadPayment,
  type PartyOwners,
} from '../../access.ts';
import { partyOwners } from '../../party-owners.ts';
import { unproven } from '../command.ts';
import type { DoorParts } from '../parts.ts';
import { forbidden, notThere, problem, type Problem, unknownCurrency } from '../problem.ts';
import { type Access, type Call, route } from '../route.ts';
import { newPayment, payment, paymentPage, paymentParams, paymentQuery, timeline } from '../schemas/payment.ts';
import { sentenceOf } from '../timeline-sentences.ts';
import { eyesOf, visiblePayment } from '../visible-payment.ts';
import { paid } from './payment-answer.ts';

const readers: Access = {
  roles: { customer: 'own', merchant: 'own', support: 'any', reviewer: 'any', admin: 'any', service: 'any' },
  scopes: ['payments:read'],
};

const pay = route({
  method: 'POST',
  path: '/v1/payments',
  operation: 'pay',
  tag: 'payments',
  summary: 'Pay, or create a payment and take it up to a state',
  description:
    'People pay from their own accounts (P2P, MERCHANT, CASH_OUT); only services say that money came in (CASH_IN, FUNDING); ' +
    'the kinds of reconciliation (STATEMENT_FEE … WRITE_OFF_GAIN) need the scope `ledger:correct`. ' +
    '`upTo` is how far the payment goes at once, by default as far as the caller may take it: SETTLED for services and ' +
    'for P2P, CAPTURED for a purchase, AUTHORIZED for a cash-out and for all that goes through a connector. `upTo: INITIATED` only creates it. A cash-out is ' +
    'sensitive: a user signs it with the device key. A refused payment is recorded: `paymentId` says where.',
  body: newPayment,
  answers: { 201: payment },
  problems: ['NotFound', 'InsufficientFunds', 'AccountFrozen', 'AccountClosed'],
  idempotent: true,
  sensitive: true,
  access: { roles: { customer: 'own', merchant: 'own', service: 'any' }, scopes: ['payments:write', 'ledger:correct'] },
  handle: async (call, door) => {
    const { principal, body } = call;
    const request = payRequest(call, door);
    if ('problem' in request) return request;
    // First what nobody of this kind may do, whatever it names; then whether what it names is theirs.
    if (!mayPay(principal, request, { payer: principal.principal, payee: principal.principal })) {
      return forbidden;
    }
    const owners = await partyOwners(door.ledger, body);
    if (!mayPay(principal, request, owners)) {
      if (body.payer !== undefined) return notThere('account', body.payer);
      return problem('Invalid', `payer: a ${body.kind} needs one`, { figures: { field: 'payer' } });
    }
    const lost = await unpayable(call, request, owners, door);
    if (lost !== undefined) return lost;
    const refusal = request.kind === 'CASH_OUT' ? await unproven(call, door) : undefined;
    return refusal ?? paid(call, door, request, owners, 201);
  },
});

function payRequest(
  { principal, body, idempotencyKey }: Call<unknown, unknown, Static<typeof newPayment>>,
  { connectors }: DoorParts,
): PayRequest | Problem {
  const { amount, captureAmount, providerFee, upTo, ...rest } = body;
  if (exponentOf(rest.currency) === undefined) return unknownCurrency;
  // Nobody vouches by default for what a provider has not even been told.
  const isTold = POSTINGS[rest.kind].capturedWhen !== undefined && connectors.serves(rest.provider ?? '');
  const farthest = isTold ? 'AUTHORIZED' : farthestFor(principal, rest.kind);
  return {
    type: 'Pay',
    idempotencyKey,
    ...rest,
    amount: BigInt(amount),
    upTo: upTo ?? farthest ?? 'SETTLED',
    ...(captureAmount !== undefined && { captureAmount: BigInt(captureAmount) }),
    ...(providerFee !== undefined && { providerFee: BigInt(providerFee) }),
  };
}

/**
 * To people, an account that cannot be paid so is not there: neither its type nor its currency is told to whom it does not
 * belong. (The core would name them.)
 */
async function unpayable(
  { principal }: Call,
  { kind, payee, currency }: PayRequest,
  owners: PartyOwners,
  { ledger }: DoorParts,
): Promise<ReturnType<typeof notThere> | undefined> {
  if (payee === undefined || principal.roles.includes('service') || owners.payee === principal.principal)
    return undefined;
  const account = await ledger.account(payee);
  const fits = account?.currency === currency && POSTINGS[kind].payee?.includes(account.type) === true;
  return fits ? undefined : notThere('account', payee);
}

const getPayment = route({
  method: 'GET',
  path: '/v1/payments/:id',
  operation: 'getPayment',
  tag: 'payments',
  summary: 'A payment as it is now',
  description: 'Our fee is shown to the payee, what a provider took to staff and services.',
  params: paymentParams,
  answers: { 200: payment },
  access: readers,
  handle: async ({ params: { id }, principal }, { payments, ledger }) => {
    const view = await payments.payment(id);
    if (view === undefined) return notThere('payment', id);
    const owners = await partyOwners(ledger, view);
    if (!mayReadPayment(principal, owners)) return notThere('payment', id);
    return { status: 200, body: visiblePayment(view, eyesOf(principal, owners)) };
  },
});

const listPayments = route({
  method: 'GET',
  path: '/v1/payments',
  operation: 'listPayments',
  tag: 'payments',
  summary: 'Payments, the newest first',
  description:
    'From a read model: what happened a moment ago may be missing. `from` (included) and `to` (excluded) go by the time ' +
    'at which a payment was recorded.',
  query: paymentQuery,
  answers: { 200: paymentPage },
  problems: ['NotFound'],
  access: readers,
  handle: async ({ query: { limit = 50, cursor, ...filter }, principal }, { payments, ledger }) => {
    const everything = mayReadEverything(principal, 'payments:read');
    const { account } = filter;
    if (account !== undefined) {
      const named = await ledger.account(account);
      const readable = everything ? named !== undefined : mayReadAccount(principal, named);
      if (!readable) return notThere('account', account);
    }
    const whose = everything ? filter : { ...filter, owner: principal.principal };
    const page = await payments.list(whose, { limit, ...(cursor !== undefined && { cursor }) });
    const items = await Promise.all(
      page.items.map(async (view) => {
        // Whoever sees everything sees it whosever it is.
        const owners = everything ? { payer: undefined, payee: undefined } : await partyOwners(ledger, view);
        return visiblePayment(view, eyesOf(principal, owners));
      }),
    );
    return { status: 200, body: { items, ...(page.next !== undefined && { next: page.next }) } };
  },
});

const getTimeline = route({
  method: 'GET',
  path: '/v1/payments/:id/timeline',
  operation: 'getTimeline',
  tag: 'payments',
  summary: 'What happened to a payment, in sentences',
  description: 'From the log, without lag. Staff and services see who asked for each step; others see what was theirs.',
  params: paymentParams,
  answers: { 200: timeline },
  access: readers,
  handle: async ({ params: { id }, principal }, { payments, ledger }) => {
    const view = await payments.payment(id);
    if (view === undefined) return notThere('payment', id);
    const owners = await partyOwners(ledger, view);
    if (!mayReadPayment(principal, owners)) return notThere('payment', id);
    const eyes = eyesOf(principal, owners);
    const rows = await payments.timeline(id);
    const items = rows.map((row) => {
      const isTheirs = eyes.everything || row.principal === principal.principal;
      return {
        at: row.at,
        effectiveAt: row.effectiveAt,
        state: row.state,
        sentence: sentenceOf(row, view, eyes),
        by: isTheirs ? row.principal : 'somebody else',
        ...(isTheirs && { correlationId: row.correlationId }),
        version: row.version,
        position: row.position,
      };
    });
    return { status: 200, body: { paymentId: id, items } };
  },
});

export const paymentRoutes = [pay, listPayments, getPayment, getTimeline];
