import type { EventLog } from '../../../eventstore/index.ts';
import {
  startStreamDoor,
  type StreamDoor,
  type StreamDoorOptions,
  type StreamLimits,
} from '../../../src/gateway/stream/index.ts';
import { KnownTokens } from './tokens.ts';

/** Every server that can stand behind the transport port. */
export const transports = ['uws', 'ws'] as const;
export type TransportName = (typeof transports)[number];

export type DoorOptions = Partial<Omit<StreamDoorOptions, 'limits' | 'host'>>;

export function openDoor(
  log: EventLog,
  limits: Partial<StreamLimits> = {},
  options: DoorOptions = {},
): Promise<StreamDoor> {
  return startStreamDoor({
    log,
    authenticator: new KnownTokens(),
    host: '127.0.0.1',
    port: 0,
    ...options,
    limits: { closeGraceMs: 200, ...limits },
  });
}

/**
 * Opens a door on a port that will still be free when it is opened again: the kernel gives the ports that it chooses by
 * itself (from 32768 on) to outgoing connections too, as soon as nobody listens on them.
 */
export async function openDoorToReopen(log: EventLog, options: DoorOptions = {}): Promise<StreamDoor> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      return await openDoor(log, {}, { ...options, port });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error;
    }
  }
}
