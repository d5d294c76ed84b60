import type { PaymentRequest } from '../../../actors/requests.ts';
import { farthestFor, mayPay, mayReadPayment, maySettle, mayStep, type PartyOwners } from '../../access.ts';
import type { PaymentView } from '../../../machines/payment/view.ts';
import { illegalTransition } from '../../../machines/refusals.ts';
import { partyOwners } from '../../party-owners.ts';
import { unproven } from '../command.ts';
import type { DoorParts } from '../parts.ts';
import { forbidden, notThere, type Problem, problem, problemOf } from '../problem.ts';
import { type Access, type Answer, type Call, route } from '../route.ts';
import {
  asked,
  cancellation,
  capture,
  noOptions,
  payment,
  paymentParams,
  payoutReturn,
  refund,
  resolution,
  reversal,
  settlement,
} from '../schemas/payment.ts';
import { paid } from './payment-answer.ts';

type Step = Exclude<PaymentRequest, { type: 'Pay' }>;
type StepCall = Call<{ id: string }>;

const ours: Access['roles'] = { customer: 'own', merchant: 'own', service: 'any' };
const step = {
  method: 'POST',
  tag: 'payments',
  params: paymentParams,
  answers: { 200: payment },
  idempotent: true,
} as const;

const authorize = route({
  ...step,
  path: '/v1/payments/:id/authorize',
  operation: 'authorizePayment',
  summary: 'Authorize: hold the amount on the payer',
  description: 'Of a cash-out it is sensitive: a user signs it with the device key.',
  body: noOptions,
  bodyOptional: true,
  problems: [
    'IllegalTransition',
    'InsufficientFunds',
    'AccountFrozen',
    'AccountClosed',
    'HoldExpired',
    'PaymentFailed',
  ],
  sensitive: true,
  access: { roles: ours, scopes: ['payments:write'] },
  handle: (call, door) => stepped(call, door, { type: 'Authorize', ...named(call) }),
});

const captureRoute = route({
  ...step,
  path: '/v1/payments/:id/capture',
  operation: 'capturePayment',
  summary: 'Capture: take what is held, or a part of it',
  description: 'What is not captured is released.',
  body: capture,
  bodyOptional: true,
  problems: [
    'IllegalTransition',
    'InstructionLive',
    'CaptureExceedsAuthorized',
    'AccountFrozen',
    'AccountClosed',
    'HoldExpired',
  ],
  access: { roles: ours, scopes: ['payments:write'] },
  handle: (call, door) => {
    const { amount } = call.body;
    return stepped(call, door, {
      type: 'Capture',
      ...named(call),
      ...(amount !== undefined && { amount: BigInt(amount) }),
    });
  },
});

const settle = route({
  ...step,
  path: '/v1/payments/:id/settle',
  operation: 'settlePayment',
  summary: 'Settle: the provider, or the day, has confirmed it',
  body: settlement,
  bodyOptional: true,
  problems: ['IllegalTransition', 'InstructionLive'],
  access: { roles: { service: 'any' }, scopes: ['payments:settle'] },
  handle: (call, door) => {
    const { providerFee } = call.body;
    return stepped(call, door, {
      type: 'Settle',
      ...named(call),
      ...(providerFee !== undefined && { providerFee: BigInt(providerFee) }),
    });
  },
});

const reverse = route({
  ...step,
  path: '/v1/payments/:id/reverse',
  operation: 'reversePayment',
  summary: 'Reverse: release the hold, or give back what was captured',
  description: 'What is settled is refunded instead. The reason `provider` is for services.',
  body: reversal,
  bodyOptional: true,
  problems: ['IllegalTransition', 'InstructionLive', 'InsufficientFunds', 'AccountFrozen', 'AccountClosed'],
  access: { roles: ours, scopes: ['payments:write'] },
  handle: (call, door) =>
    stepped(call, door, { type: 'Reverse', ...named(call), reason: call.body.reason ?? 'requested' }),
});

const cancel = route({
  ...step,
  path: '/v1/payments/:id/cancel',
  operation: 'cancelPayment',
  summary: 'Cancel: nothing will come of it',
  description: 'Before anything was captured. The payment is FAILED, and what was held is released.',
  body: cancellation,
  bodyOptional: true,
  problems: ['IllegalTransition', 'InstructionLive'],
  access: { roles: ours, scopes: ['payments:write'] },
  handle: (call, door) =>
    stepped(call, door, { type: 'Fail', ...named(call), reason: call.body.reason ?? 'cancelled' }),
});

const refundRoute = route({
  ...step,
  path: '/v1/payments/:id/refund',
  operation: 'refundPayment',
  summary: 'Refund: give back a settled purchase, or a part of it',
  description: 'A refund is a payment of its own, of kind REFUND. All refunds together are at most what was captured.',
  body: refund,
  answers: { 201: payment },
  problems: ['InsufficientFunds', 'RefundExceedsCaptured', 'AccountFrozen', 'AccountClosed'],
  access: { roles: { merchant: 'own', service: 'any' }, scopes: ['payments:write'] },
  handle: async (call, door) => {
    const { principal, params, body, idempotencyKey } = call;
    const found = await seen(call, door);
    if ('problem' in found) return found;
    const request = {
      type: 'Pay',
      idempotencyKey,
      kind: 'REFUND',
      original: params.id,
      currency: found.view.currency,
      amount: BigInt(body.amount),
      upTo: body.upTo ?? farthestFor(principal, 'REFUND') ?? 'SETTLED',
    } as const;
    if (!mayPay(principal, request, found.owners)) return forbidden;
    // A refund goes back the way that the purchase came.
    const owners = { payer: found.owners.payee, payee: found.owners.payer };
    return paid(call, door, request, owners, 201);
  },
});

const resolve = route({
  ...step,
  path: '/v1/payments/:id/resolve',
  operation: 'resolvePayment',
  summary: 'Resolve: say what became of what is in doubt',
  description:
    "For whoever has the provider's own word, or its statement: `confirmed` or `settled`, with its `providerRef`, or " +
    '`refused`, with the `reason`. It is taken as the word of the provider on its newest instruction: what is known ' +
    'already changes nothing, and what contradicts is noted. A `refused` of what is still on its way is answered with ' +
    '`InstructionLive`: nobody can have seen it yet.',
  body: resolution,
  problems: ['InstructionLive'],
  access: { roles: { service: 'any' }, scopes: ['payments:settle'] },
  handle: (call, door) => {
    const { providerFee, ...body } = call.body;
    const wanted = body.outcome === 'refused' ? 'reason' : 'providerRef';
    if (body[wanted] === undefined) {
      const detail = `${wanted}: ${body.outcome} needs it`;
      return Promise.resolve(problem('Invalid', detail, { figures: { field: wanted } }));
    }
    return stepped(call, door, {
      type: 'Resolve',
      ...named(call),
      ...body,
      ...(providerFee !== undefined && { providerFee: BigInt(providerFee) }),
    });
  },
});

const ask = route({
  method: 'POST',
  tag: 'services',
  params: paymentParams,
  path: '/v1/payments/:id/ask',
  operation: 'askAboutPayment',
  summary: 'Ask the provider what became of it, out of turn',
  description:
    'Providers are asked by themselves; this is one question more, for whoever has a case. What the provider says is ' +
    'taken down as always, and answered. Asking twice is harmless.',
  answers: { 200: asked },
  problems: ['NotAskable'],
  access: { roles: { service: 'any' }, scopes: ['payments:settle'] },
  handle: async (call, door) => {
    if (!maySettle(call.principal)) return forbidden;
    const { params } = call;
    const answer = await door.connectors.ask(params.id);
    if (answer.outcome === 'asked') return { status: 200, body: { paymentId: params.id, said: answer.said } };
    return answer.code === 'NotFound' ? notThere('payment', params.id) : problem('NotAskable', answer.message);
  },
});

const returnRoute = route({
  ...step,
  path: '/v1/payments/:id/return',
  operation: 'returnPayment',
  summary: 'Return: the provider sent a settled slice of a payout back, or a part of it',
  description: 'A return is a payment of its own, of kind PAYOUT_RETURN, to the treasury that had paid out.',
  body: payoutReturn,
  answers: { 201: payment },
  problems: ['RefundExceedsCaptured', 'AccountFrozen', 'AccountClosed'],
  access: { roles: { service: 'any' }, scopes: ['payments:settle'] },
  handle: async (call, door) => {
    const { principal, params, body, idempotencyKey } = call;
    const found = await seen(call, door);
    if ('problem' in found) return found;
    const request = {
      type: 'Pay',
      idempotencyKey,
      kind: 'PAYOUT_RETURN',
      original: params.id,
      currency: found.view.currency,
      amount: BigInt(body.amount),
      upTo: 'SETTLED',
    } as const;
    if (!mayPay(principal, request, found.owners)) return forbidden;
    return paid(call, door, request, { payer: undefined, payee: found.owners.payer }, 201);
  },
});

function named({ params, idempotencyKey }: StepCall): { paymentId: string; idempotencyKey: string } {
  return { paymentId: params.id, idempotencyKey };
}

/** The payment that a call names, where its caller may know of it. */
async function seen(
  { params: { id }, principal }: StepCall,
  { payments, ledger }: DoorParts,
): Promise<Problem | { readonly view: PaymentView; readonly owners: PartyOwners }> {
  const view = await payments.payment(id);
  if (view === undefined) return notThere('payment', id);
  const owners = await partyOwners(ledger, view);
  // A service that may command payments need not be one that may read them.
  if (!principal.roles.includes('service') && !mayReadPayment(principal, owners)) return notThere('payment', id);
  return { view, owners };
}

async function stepped(call: StepCall, door: DoorParts, request: Step): Promise<Answer> {
  const found = await seen(call, door);
  if ('problem' in found) return found;
  const { view, owners } = found;
  if (!mayStep(call.principal, request, view, owners)) {
    // Theirs to ask for, but for how far the payment has come.
    return mayStep(call.principal, request, { ...view, status: 'INITIATED' }, owners)
      ? problemOf(illegalTransition(view.status, request.type, []))
      : forbidden;
  }
  const isSensitive = request.type === 'Authorize' && view.kind === 'CASH_OUT';
  return (isSensitive ? await unproven(call, door) : undefined) ?? paid(call, door, request, owners, 200);
}

export const paymentStepRoutes = [
  authorize,
  captureRoute,
  settle,
  reverse,
  cancel,
  refundRoute,
  resolve,
  ask,
  returnRoute,
];
