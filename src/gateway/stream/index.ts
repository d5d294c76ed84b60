export type { StreamLimits } from './limits.ts';
export { startStreamDoor, streamPath, type StreamDoor, type StreamDoorOptions } from './stream-door.ts';
