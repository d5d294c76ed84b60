import { Type } from 'typebox';
import { problem } from '../problem.ts';
import { publicRoute } from '../route.ts';

/** What the provider sends is its own matter: the connector reads it, and its signature says whose it is. */
const callback = Type.Object({}, { additionalProperties: true, title: 'ProviderCallback' });

const takeCallback = publicRoute({
  method: 'POST',
  path: '/v1/providers/:connector/callbacks',
  operation: 'takeProviderCallback',
  tag: 'providers',
  summary: 'A provider tells what became of a payment',
  description:
    'Signed by the provider, over the body as it was sent; a callback that is not, that is too old, or that came before ' +
    'is refused. 204 means that what is new in it is durable. One that says "refused" is taken as a hint, and the ' +
    'provider is asked.',
  params: Type.Object(
    { connector: Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }) },
    { additionalProperties: false },
  ),
  body: callback,
  answers: { 204: null },
  problems: ['Unauthenticated', 'NotFound'],
  handle: async ({ params: { connector }, headers, rawBody }, { providers }) => {
    const refused = await providers.callback({ connectorId: connector, headers, body: rawBody });
    if (refused === undefined) return { status: 204, body: null };
    // The provider says it again later, as it does with whatever is not taken: another process may know of it already.
    if (refused === 'UnknownPayment') return problem('NotFound', 'no such payment was told to this provider');
    // Whoever cannot sign is not told which connectors there are.
    return problem('Unauthenticated', 'this is not a callback of that provider', { figures: { reason: refused } });
  },
});

export const providerCallbackRoutes = [takeCallback];
