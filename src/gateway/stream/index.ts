export type { StreamLimits } from './limits.ts';
export { startStreamDoor, streamPath, type StreamDoor } from './stream-door.ts';
