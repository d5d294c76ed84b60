import { invariant } from '../../../kernel/invariant.ts';
import { mayOperateConnectors, mayReadConnectors } from '../../access.ts';
import { carriedOut, unproven } from '../command.ts';
import { forbidden, notThere, problemOf } from '../problem.ts';
import { type Access, route } from '../route.ts';
import { breakerForce, connector, connectorList, connectorParams } from '../schemas/connector.ts';

const readers: Access = {
  roles: { support: 'any', reviewer: 'any', admin: 'any', service: 'any' },
  scopes: ['connectors:read'],
};

const listConnectors = route({
  method: 'GET',
  path: '/v1/connectors',
  operation: 'listConnectors',
  tag: 'connectors',
  summary: 'Connectors, by id',
  description: 'From a read model: what happened a moment ago may be missing.',
  answers: { 200: connectorList },
  access: readers,
  handle: async ({ principal }, { connectors }) => {
    if (!mayReadConnectors(principal)) return forbidden;
    return { status: 200, body: { items: await connectors.list() } };
  },
});

const getConnector = route({
  method: 'GET',
  path: '/v1/connectors/:id',
  operation: 'getConnector',
  tag: 'connectors',
  summary: "A connector's circuit breaker as it is now",
  params: connectorParams,
  answers: { 200: connector },
  access: readers,
  handle: async ({ params: { id }, principal }, { connectors }) => {
    const view = mayReadConnectors(principal) ? await connectors.connector(id) : undefined;
    return view === undefined ? notThere('connector', id) : { status: 200, body: view };
  },
});

const forceConnector = route({
  method: 'POST',
  path: '/v1/connectors/:id/force',
  operation: 'forceConnector',
  tag: 'connectors',
  summary: 'Open or close its breaker by hand',
  description:
    'Open by hand, it stays so until somebody closes it. Who did it, and why, stays in the log. For users it is sensitive: ' +
    'signed with the device key.',
  params: connectorParams,
  body: breakerForce,
  answers: { 200: connector },
  problems: ['IllegalTransition'],
  idempotent: true,
  sensitive: true,
  access: { roles: { admin: 'any', service: 'any' }, scopes: ['connectors:operate'] },
  handle: async (call, door) => {
    if (!mayOperateConnectors(call.principal)) return forbidden;
    const refusal = await unproven(call, door);
    if (refusal !== undefined) return refusal;
    const { idempotencyKey, params, body } = call;
    const request = { type: 'ForceBreaker', idempotencyKey, connectorId: params.id, ...body } as const;
    return carriedOut(call, door, request, door.connectors, (outcome) => {
      if (!outcome.ok) return problemOf(outcome.refusal);
      invariant(outcome.connector, 'a command on a connector is answered with the connector');
      return { status: 200, body: outcome.connector };
    });
  },
});

export const connectorRoutes = [listConnectors, getConnector, forceConnector];
