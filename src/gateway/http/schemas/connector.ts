import { Type } from 'typebox';
import { connectorId, instant, reason } from './fields.ts';
import { literals } from './payment.ts';

export const connector = Type.Object(
  {
    connectorId,
    state: literals(['CLOSED', 'OPEN', 'HALF_OPEN']),
    version: Type.Integer({ minimum: 0, description: 'counts the facts on it; 0: it was never anything but closed' }),
    failures: Type.Integer({ minimum: 0, description: 'failures in a row that opened it' }),
    openUntil: Type.Optional(instant),
    reason: Type.Optional(Type.String({ description: 'why it is not closed' })),
    forced: Type.Boolean({ description: 'a person opened it, and a person closes it' }),
  },
  { additionalProperties: false, title: 'Connector' },
);

export const connectorList = Type.Object(
  { items: Type.Array(connector) },
  { additionalProperties: false, title: 'ConnectorList' },
);

export const connectorParams = Type.Object({ id: connectorId }, { additionalProperties: false });

export const breakerForce = Type.Object(
  { state: literals(['OPEN', 'CLOSED']), reason },
  { additionalProperties: false, title: 'BreakerForce' },
);
