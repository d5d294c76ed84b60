import type { Transport, TransportOptions } from './transport.ts';
import type { StreamLogger } from './stream-logger.ts';

/** What can stand behind the transport port. `uws` is several times faster; `ws` runs wherever Node does. */
export const streamTransports = ['uws', 'ws'] as const;
export type StreamTransport = (typeof streamTransports)[number];

export interface OpenedTransport extends Transport {
  /** What it runs on. */
  readonly name: StreamTransport | 'given';
}

export type Listen = (options: TransportOptions) => Promise<Transport>;

/**
 * Listens with what is wanted. Where uWebSockets cannot be loaded (there is no binary for this platform or this Node), `ws`
 * takes over, and a warning says so. Rejects when the address cannot be listened on.
 */
export async function openTransport(
  wanted: StreamTransport | Listen,
  options: TransportOptions,
  logger: StreamLogger | undefined,
): Promise<OpenedTransport> {
  if (typeof wanted === 'function') return { ...(await wanted(options)), name: 'given' };
  const uws = wanted === 'uws' ? await loadUws(logger) : undefined;
  if (uws !== undefined) return { ...(await uws(options)), name: 'uws' };
  const { listenWithWs } = await import('./ws-transport.ts');
  return { ...(await listenWithWs(options)), name: 'ws' };
}

async function loadUws(logger: StreamLogger | undefined): Promise<Listen | undefined> {
  try {
    return (await import('./uws-transport.ts')).listenWithUws;
  } catch (error) {
    logger?.warn(
      { err: error },
      'stream: uWebSockets cannot be loaded here, ws serves in its place: slower, the same otherwise',
    );
    return undefined;
  }
}
