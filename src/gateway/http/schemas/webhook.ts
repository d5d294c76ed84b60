import { Type } from 'typebox';
import { deliveryStatuses } from '../../../webhooks/index.ts';
import { instant, next, pageQuery } from './fields.ts';

const DAY_MS = 24 * 3_600_000;

const webhookId = Type.String({
  pattern: '^wh_[A-Za-z0-9_-]{22}$',
  description: 'id of a webhook, as it was answered',
  examples: ['wh_Zp0m1bJ8yq3o0yYw6f2m9k'],
});
const eventId = Type.String({
  pattern: '^evt_[A-Za-z0-9_-]{22}$',
  description: 'id of an event, as it was delivered',
});
const types = Type.Array(
  Type.String({
    pattern: '^(?:\\*|[a-z_]{1,40}\\.(?:\\*|[a-z_]{1,60}))$',
    description: 'a type of docs/events, all of a kind (payment.*), or everything (*)',
    examples: ['payment.captured'],
  }),
  { minItems: 1, maxItems: 50, uniqueItems: true, description: 'what it is told' },
);
const url = Type.String({ minLength: 1, maxLength: 2_048, description: 'where deliveries are posted to, over https' });
const secret = Type.String({ description: 'what deliveries are signed with; said now and never again' });
const previousSecretUntil = Type.String({
  format: 'date-time',
  description: 'while a secret is rotated: the one before signs too, until then',
});

const fields = {
  id: webhookId,
  owner: Type.String({ description: 'whose it is' }),
  url,
  types: Type.Array(Type.String()),
  createdAt: instant,
  previousSecretUntil: Type.Optional(previousSecretUntil),
  pending: Type.Integer({ minimum: 0, description: 'deliveries that wait' }),
  dead: Type.Integer({
    minimum: 0,
    description: 'deliveries that were given up; what follows them of their payment waits',
  }),
  oldestPendingAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'when what waits longest was recorded' }),
  ),
};
const webhook = Type.Object(fields, { additionalProperties: false, title: 'Webhook' });

export const newWebhook = Type.Object({ url, types }, { additionalProperties: false, title: 'NewWebhook' });
export const addedWebhook = Type.Object({ ...fields, secret }, { additionalProperties: false, title: 'AddedWebhook' });
export const webhookList = Type.Object(
  { items: Type.Array(webhook) },
  { additionalProperties: false, title: 'Webhooks' },
);
export const webhookParams = Type.Object({ id: webhookId }, { additionalProperties: false });

export const rotation = Type.Object(
  {
    overlapMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 7 * DAY_MS,
        description: 'how long deliveries are signed with both secrets, 0 to a week; a day if it is not said',
      }),
    ),
  },
  { additionalProperties: false, title: 'Rotation' },
);
export const rotatedSecret = Type.Object(
  { secret, previousSecretUntil },
  { additionalProperties: false, title: 'RotatedSecret' },
);

const status = Type.Unsafe<(typeof deliveryStatuses)[number]>({
  type: 'string',
  enum: [...deliveryStatuses],
  description: 'dead: given up after three days; skipped: given up by somebody',
});
export const deliveryQuery = Type.Object(
  { status: Type.Optional(status), ...pageQuery },
  { additionalProperties: false },
);
export const deliveryPage = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          eventId,
          type: Type.String(),
          subject: Type.String({ description: 'payment/<id> or account/<id>' }),
          sequence: Type.Integer({ minimum: 1 }),
          recordedAt: instant,
          status,
          attempts: Type.Integer({ minimum: 0, description: 'tries since it was made or replayed' }),
          lastTriedAt: Type.Optional(instant),
          lastError: Type.Optional(Type.String({ description: 'why the last try failed' })),
        },
        { additionalProperties: false, title: 'Delivery' },
      ),
    ),
    next,
  },
  { additionalProperties: false, title: 'DeliveryPage' },
);

const ends = ['delivered', 'dead', 'skipped'] as const;
export const replayBody = Type.Object(
  {
    status: Type.Optional(
      Type.Unsafe<(typeof ends)[number]>({
        type: 'string',
        enum: [...ends],
        description: 'those that came to this end: dead if it is not said',
      }),
    ),
    eventId: Type.Optional(eventId),
    types: Type.Optional(types),
    from: Type.Optional(instant),
    to: Type.Optional(instant),
  },
  { additionalProperties: false, title: 'Replay' },
);
export const replayed = Type.Object(
  { replayed: Type.Integer({ minimum: 0, description: 'deliveries that are on their way again' }) },
  { additionalProperties: false, title: 'Replayed' },
);
export const skipBody = Type.Object({ eventId }, { additionalProperties: false, title: 'Skip' });
