import { Type } from 'typebox';
import { feedNames } from '../../feeds.ts';
import { literals } from './payment.ts';

export const feedParams = Type.Object({ feed: literals(feedNames) });
export const feedQuery = Type.Object({
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000, default: 1_000 })),
});
export const feedPage = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        position: Type.Integer({ description: 'where it stands in the feed; several may stand at one' }),
        body: Type.String({ description: 'the event as JSON: docs/events.md' }),
        signature: Type.String({ description: '`t=<unix seconds>,v1=<hex>`: HMAC-SHA-256 over `<t>.<body>`' }),
      }),
    ),
    next: Type.Integer({ description: 'go on with `after` this' }),
    last: Type.Integer({ description: 'the end of the feed when it was asked' }),
  },
  { title: 'FeedPage' },
);
