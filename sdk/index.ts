/** The face of the client. docs/sdk.md tells how to use it. */
export { type Answer, granted, KoraRefusal } from './answer.ts';
export type * from './api.ts';
export type { CallOptions, CommandOptions } from './calls/calls.ts';
export type { RetryPolicy } from './calls/retry.ts';
export { KoraFault, type KoraFaultCode } from './fault.ts';
export { Kora, type KoraOptions } from './kora.ts';
export type { Page, Pages } from './pages.ts';
export type { Refusal, RefusalCode } from './refusal.ts';
export { deviceOfThisBrowser } from './session/browser-device.ts';
export { createDevice, type Device, deviceFromJwk, type DeviceJwk, deviceToJwk } from './session/device.ts';
export {
  memoryStore,
  type SessionStore,
  type StoredSession,
  webStore,
  type WebStorage,
} from './session/session-store.ts';
export type { WatchOptions } from './stream/streams.ts';
export { WatchRefusal } from './stream/watch-refusal.ts';
export type { Told, Watch } from './stream/watching.ts';
export { type VerifyOptions, verifyWebhook, type WebhookEvent, type WebhookVerdict } from './verify-webhook.ts';
