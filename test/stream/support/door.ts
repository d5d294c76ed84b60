import type { EventLog } from '../../../eventstore/index.ts';
import { startStreamDoor, type StreamDoor, type StreamLimits } from '../../../src/gateway/stream/index.ts';
import type { TokenCheck } from '../../../src/gateway/stream/admission.ts';

const hourMs = 3_600_000;

/** Knows the tokens `good`, and `until:<ms since 1970>`. */
export const tokens: TokenCheck = {
  verify(token) {
    const until = token === 'good' ? Date.now() + hourMs : Number(/^until:(\d+)$/.exec(token ?? '')?.[1]);
    if (Number.isNaN(until)) return Promise.resolve({ ok: false, message: 'no token that is known here' });
    const identity = { principal: 'service:test', tenant: 'test', expiresAtMs: until };
    return Promise.resolve({ ok: true, identity });
  },
};

export function openDoor(log: EventLog, limits: Partial<StreamLimits> = {}, port = 0): Promise<StreamDoor> {
  return startStreamDoor({ log, tokens, host: '127.0.0.1', port, limits: { closeGraceMs: 200, ...limits } });
}

/**
 * Opens a door on a port that will still be free when it is opened again: the kernel gives the ports that it chooses by
 * itself (from 32768 on) to outgoing connections too, as soon as nobody listens on them.
 */
export async function openDoorToReopen(log: EventLog): Promise<StreamDoor> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      return await openDoor(log, {}, port);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error;
    }
  }
}
