export { defaultStreamLimits, type StreamLimits } from './limits.ts';
export {
  startStreamDoor,
  streamPath,
  type StreamDoor,
  type StreamDoorOptions,
  type StreamLogger,
} from './stream-door.ts';
export type { LiveFeed, LiveState } from './live-feed.ts';
