import { setMaxListeners } from 'node:events';
import { createConnectRouter } from '@connectrpc/connect';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';
import type { TokenVerifier } from '../service-token.ts';
import { requestGate } from './call.ts';
import { type DoorLog, silentLog } from './door-log.ts';
import type { RpcRuntime } from './execute.ts';
import { defaultRpcLimits, type RpcLimits } from './limits.ts';
import { listenOnOnePort } from './one-port.ts';
import { requestListener } from './request-listener.ts';
import { rpcRoutes } from './services.ts';

export type { RpcLimits } from './limits.ts';

export interface RpcDoorOptions {
  readonly runtime: RpcRuntime;
  readonly tokens: TokenVerifier;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<RpcLimits>;
  /** Told of faults. Default: nobody. */
  readonly log?: DoorLog;
}

export interface RpcDoor {
  readonly port: number;
  /**
   * Takes no more calls, answers those at work, and resolves when every connection is closed; what takes longer than
   * `drainMs` is cut off. The runtime is drained after it, by its owner.
   */
  close(): Promise<void>;
}

/**
 * Opens the door for services: Connect, gRPC and gRPC-Web, from `proto/kora/v1`, on one cleartext port.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export async function startRpcDoor(options: RpcDoorOptions): Promise<RpcDoor> {
  const limits = { ...defaultRpcLimits, ...options.limits };
  const log = options.log ?? silentLog;
  const closing = new AbortController();
  // Every call at work over HTTP/1.1 listens.
  setMaxListeners(0, closing.signal);
  const router = createConnectRouter({
    requestGate: requestGate(options.tokens, closing.signal),
    readMaxBytes: limits.messageBytesMax,
    // Requests may come compressed. Answers are not: between machines of one house it costs more than it saves.
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    // A misspelt field of a command must not be skipped: "captureAmmount" would capture everything.
    jsonOptions: { ignoreUnknownFields: false },
  });
  rpcRoutes({ runtime: options.runtime, limits, log })(router);
  const handle = requestListener(router.handlers, { requestMs: limits.requestMs, closing: closing.signal, log });
  const listener = await listenOnOnePort(handle, limits, options);
  let closed: Promise<void> | undefined;
  return {
    port: listener.port,
    close: () => {
      closing.abort();
      return (closed ??= listener.close());
    },
  };
}
