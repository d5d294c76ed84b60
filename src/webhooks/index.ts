/** The face of the module that tells others: docs/webhooks.md. */
export { kindsOf } from './event-choice.ts';
export { allSchemas, feedSchemas } from './events/schema-document.ts';
export * from './face.ts';
export { paymentFeed, signedItem } from './feed.ts';
export type { StatementLineEvent } from './events/feed-catalog.ts';
export type { Envelope } from './events/catalog.ts';
export { resealSecrets } from './postgres/endpoints.ts';
export type { Publisher } from './publisher/publisher.ts';
export { redisPublisher } from './publisher/redis-publisher.ts';
export { runWebhooks } from './run-webhooks.ts';
export { createWebhooks } from './webhooks.ts';
