import { Type } from 'typebox';
import type { DoorParts } from '../parts.ts';
import { publicRoute } from '../route.ts';

const alive = Type.Object({ status: Type.Literal('alive') }, { additionalProperties: false, title: 'Alive' });
const check = Type.Unsafe<'ok' | 'failed' | 'draining'>({ type: 'string', enum: ['ok', 'failed', 'draining'] });
const readiness = Type.Object(
  { ready: Type.Boolean(), checks: Type.Record(Type.String(), check), reason: Type.Optional(Type.String()) },
  { additionalProperties: false, title: 'Readiness' },
);

/** Restart the process when this does not answer: it says nothing of what the process stands on. */
const live = publicRoute({
  method: 'GET',
  path: '/health/live',
  operation: 'getLiveness',
  tag: 'health',
  summary: 'The process lives',
  answers: { 200: alive },
  uncounted: true,
  handle: (_call, _door: object) => Promise.resolve({ status: 200, body: { status: 'alive' } }),
});

/** Send it no requests while this is 503. */
const ready = publicRoute({
  method: 'GET',
  path: '/health/ready',
  operation: 'getReadiness',
  tag: 'health',
  summary: 'The process should be sent requests',
  description: 'Not while it ends, and not while its database does not answer or takes no payments; `reason` says why.',
  answers: { 200: readiness, 503: readiness },
  uncounted: true,
  handle: async (_call, door: Pick<DoorParts, 'readiness'>) => {
    const found = await door.readiness();
    return { status: found.ready ? 200 : 503, body: found };
  },
});

export const healthRoutes = [live, ready];
