import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnectRouter } from '@connectrpc/connect';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';
import type { DoorObserver } from '../door-observer.ts';
import type { Authenticator } from '../principal.ts';
import type { TroubleSource } from '../trouble-source.ts';
import { requestGate } from './call.ts';
import { type DoorLog, silentLog } from './door-log.ts';
import type { RpcRuntime } from './execute.ts';
import { Health } from './gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from './gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as ServerReflectionAlpha } from './gen/grpc/reflection/v1alpha/reflection_pb.js';
import { AccountService } from './gen/kora/v1/account_pb.js';
import { PaymentService } from './gen/kora/v1/payment_pb.js';
import { PayoutService } from './gen/kora/v1/payout_pb.js';
import { healthService } from './health.ts';
import { defaultRpcLimits, type RpcLimits } from './limits.ts';
import { listenOnOnePort } from './one-port.ts';
import { scopesOfMethod } from './method-scopes.ts';
import { observedGate } from './observe.ts';
import { reflection } from './reflection.ts';
import { requestListener } from './request-listener.ts';
import { rpcRoutes } from './services.ts';
import type { RpcTls } from './tls.ts';

export type { RpcLimits } from './limits.ts';
export type { RpcTls } from './tls.ts';

export interface RpcDoorOptions {
  readonly runtime: RpcRuntime;
  /** Only services are let in; what each may call, its token's scopes say. */
  readonly authenticator: Authenticator;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** With it the port speaks TLS only, to clients with certificates. Default: cleartext. */
  readonly tls?: RpcTls;
  readonly limits?: Partial<RpcLimits>;
  /** What makes health say "not serving". Default: nothing. */
  readonly troubles?: TroubleSource;
  /** Told of faults. Default: nobody. */
  readonly log?: DoorLog;
  /** Default: nobody looks. */
  readonly observer?: DoorObserver;
}

export interface RpcDoor {
  readonly port: number;
  /**
   * Says "not serving" for `noticeMs`, then takes no more calls, answers those at work, and resolves when every connection is closed; what takes longer than
   * `drainMs` is cut off. The runtime is drained after it, by its owner.
   */
  close(): Promise<void>;
}

/**
 * Opens the door for services: Connect, gRPC and gRPC-Web, from `proto/`, on one port.
 *
 * @throws what listening throws (`EADDRINUSE` …), and what OpenSSL says of certificates that cannot be used
 */
export async function startRpcDoor(options: RpcDoorOptions): Promise<RpcDoor> {
  const limits = { ...defaultRpcLimits, ...options.limits };
  const log = options.log ?? silentLog;
  const stopping = new AbortController();
  const closing = new AbortController();
  // Every call at work over HTTP/1.1 listens, and every watcher of health.
  setMaxListeners(0, stopping.signal, closing.signal);
  const gateParts = {
    authenticator: options.authenticator,
    boundToCertificate: options.tls?.names === 'bound',
    closing: closing.signal,
    log,
  };
  const router = createConnectRouter({
    requestGate: observedGate(requestGate(gateParts, ({ localName }) => scopesOfMethod(localName))),
    readMaxBytes: limits.messageBytesMax,
    // Requests may come compressed. Answers are not: between machines of one house it costs more than it saves.
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    // A misspelt field of a command must not be skipped: "captureAmmount" would capture everything.
    jsonOptions: { ignoreUnknownFields: false },
  });
  rpcRoutes({ runtime: options.runtime, limits, log })(router);
  const signals = { stopping: stopping.signal, closing: closing.signal, troubles: options.troubles };
  const ours = [PaymentService, PayoutService, AccountService];
  // Probes have no token.
  const health = healthService(
    ours.map(({ typeName }) => typeName),
    signals,
  );
  router.service(Health, health, { requestGate: observedGate(() => undefined) });
  const reflected = reflection([...ours, Health, ServerReflection, ServerReflectionAlpha]);
  const anyToken = { requestGate: observedGate(requestGate(gateParts, () => undefined)) };
  router.service(ServerReflection, reflected, anyToken).service(ServerReflectionAlpha, reflected, anyToken);

  const { observer = {} } = options;
  const handle = requestListener(router.handlers, {
    requestMs: limits.requestMs,
    closing: closing.signal,
    log,
    observer,
  });
  const listener = await listenOnOnePort(handle, limits, { ...options, log });
  const close = async (): Promise<void> => {
    stopping.abort();
    if (limits.noticeMs > 0) await sleep(limits.noticeMs);
    closing.abort();
    await listener.close();
  };
  let closed: Promise<void> | undefined;
  return { port: listener.port, close: () => (closed ??= close()) };
}
