import { kindsOf, type Answer as Verdict, type Whose } from '../../../webhooks/index.ts';
import { mayHearOf } from '../../access.ts';
import type { Principal } from '../../principal.ts';
import { unproven } from '../command.ts';
import { problem, problemOf } from '../problem.ts';
import { type Access, type Answer, route } from '../route.ts';
import {
  addedWebhook,
  deliveryPage,
  deliveryQuery,
  newWebhook,
  replayBody,
  replayed,
  rotatedSecret,
  rotation,
  skipBody,
  webhookList,
  webhookParams,
} from '../schemas/webhook.ts';

/** Services their own, admins all. */
const managers: Access = { roles: { admin: 'any', service: 'own' }, scopes: ['webhooks:manage'] };

const addWebhook = route({
  method: 'POST',
  path: '/v1/webhooks',
  operation: 'addWebhook',
  tag: 'webhooks',
  summary: 'Have events told to a URL',
  description:
    'From now on, in order per payment, at least once (docs/webhooks.md). The secret is in this answer and in no other: ' +
    'where the answer was lost, remove the webhook and add it anew. A service is told what it may read: of payments with ' +
    '`payments:read`, of accounts with `accounts:read`.',
  body: newWebhook,
  answers: { 201: addedWebhook },
  problems: ['WebhookRefused', 'TooManyWebhooks'],
  sensitive: true,
  access: managers,
  handle: async (call, { webhooks, identity }) => {
    const { principal, body } = call;
    if (!mayHearOf(principal, kindsOf(body.types))) return problem('Forbidden', 'this token is not for this call');
    const proof = await unproven(call, { identity });
    if (proof !== undefined) return proof;
    return answered(await webhooks.add({ owner: principal.principal, ...body }), 201);
  },
});

const listWebhooks = route({
  method: 'GET',
  path: '/v1/webhooks',
  operation: 'listWebhooks',
  tag: 'webhooks',
  summary: 'Webhooks, and what waits for them',
  answers: { 200: webhookList },
  access: managers,
  handle: async ({ principal }, { webhooks }) => ({
    status: 200,
    body: { items: await webhooks.list(whoseOf(principal)) },
  }),
});

const removeWebhook = route({
  method: 'DELETE',
  path: '/v1/webhooks/:id',
  operation: 'removeWebhook',
  tag: 'webhooks',
  summary: 'Tell it nothing more',
  description: 'What was not delivered yet never will be.',
  params: webhookParams,
  answers: { 204: null },
  problems: ['WebhookNotFound'],
  sensitive: true,
  access: managers,
  handle: async (call, door) =>
    (await unproven(call, door)) ?? answered(await door.webhooks.remove(call.params.id, whoseOf(call.principal)), 204),
});

const rotateSecret = route({
  method: 'POST',
  path: '/v1/webhooks/:id/rotate',
  operation: 'rotateWebhookSecret',
  tag: 'webhooks',
  summary: 'A new secret',
  description: 'For a while deliveries are signed with both. Rotated again in that time, the oldest one signs no more.',
  params: webhookParams,
  body: rotation,
  bodyOptional: true,
  answers: { 200: rotatedSecret },
  problems: ['WebhookNotFound'],
  sensitive: true,
  access: managers,
  handle: async (call, door) =>
    (await unproven(call, door)) ??
    answered(await door.webhooks.rotate(call.params.id, whoseOf(call.principal), call.body.overlapMs), 200),
});

const listDeliveries = route({
  method: 'GET',
  path: '/v1/webhooks/:id/deliveries',
  operation: 'listWebhookDeliveries',
  tag: 'webhooks',
  summary: 'What was delivered, and what was not, the newest events first',
  params: webhookParams,
  query: deliveryQuery,
  answers: { 200: deliveryPage },
  problems: ['WebhookNotFound'],
  access: managers,
  handle: async ({ params, query: { status, limit = 50, cursor }, principal }, { webhooks }) => {
    const filter = status === undefined ? {} : { status };
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    return answered(await webhooks.deliveries(params.id, whoseOf(principal), filter, page), 200);
  },
});

const replayDeliveries = route({
  method: 'POST',
  path: '/v1/webhooks/:id/replay',
  operation: 'replayWebhookDeliveries',
  tag: 'webhooks',
  summary: 'Deliver again',
  description:
    'One event, types, a time, or all: without a body everything that is dead. Each has three days anew. As far back as ' +
    'deliveries are kept (7 days unless it is configured otherwise; dead ones for ever).',
  params: webhookParams,
  body: replayBody,
  bodyOptional: true,
  answers: { 200: replayed },
  problems: ['WebhookNotFound'],
  sensitive: true,
  access: managers,
  handle: async (call, door) => {
    const { from, to, ...filter } = call.body;
    const times = {
      ...(from !== undefined && { from: new Date(from) }),
      ...(to !== undefined && { to: new Date(to) }),
    };
    return (
      (await unproven(call, door)) ??
      answered(await door.webhooks.replay(call.params.id, whoseOf(call.principal), { ...filter, ...times }), 200)
    );
  },
});

const skipDelivery = route({
  method: 'POST',
  path: '/v1/webhooks/:id/skip',
  operation: 'skipWebhookDelivery',
  tag: 'webhooks',
  summary: 'Give a dead delivery up, so that what waits behind it goes on',
  params: webhookParams,
  body: skipBody,
  answers: { 204: null },
  problems: ['WebhookNotFound', 'DeliveryNotDead'],
  sensitive: true,
  access: managers,
  handle: async (call, door) =>
    (await unproven(call, door)) ??
    answered(await door.webhooks.skip(call.params.id, whoseOf(call.principal), call.body.eventId), 204),
});

export const webhookRoutes = [
  addWebhook,
  listWebhooks,
  removeWebhook,
  rotateSecret,
  listDeliveries,
  replayDeliveries,
  skipDelivery,
];

function whoseOf({ roles, principal }: Principal): Whose {
  return roles.includes('admin') ? 'anybody' : { owner: principal };
}

function answered(verdict: Verdict<unknown>, status: 200 | 201 | 204): Answer {
  if (!verdict.ok) return problemOf(verdict.refusal);
  return status === 204 ? { status } : { status, body: verdict.value };
}
