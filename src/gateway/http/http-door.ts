import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Identity } from '../../identity/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { Payments } from '../../payments/index.ts';
import type { Authenticator } from '../principal.ts';
import { createApp, type DoorState, registerRoutes } from './app.ts';
import { defaultHttpLimits, type HttpLimits } from './limits.ts';
import { routes } from './routes.ts';

export type { HttpLimits } from './limits.ts';

export interface HttpDoorOptions {
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly identity: Identity;
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpDoor {
  readonly port: number;
  /**
   * Says that it is not ready, serves on for `unreadyMs`, then takes nothing more, answers what is at work, and resolves
   * when every connection is closed; what takes longer than `drainMs` is cut off.
   */
  close(): Promise<void>;
}

/**
 * Opens the door for people, apps and services: HTTP/1.1 with JSON, described by `docs/openapi.json`.
 *
 * @throws what listening throws (`EADDRINUSE` …)
 */
export async function startHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { ledger, payments, identity, authenticator, logger, host, port } = options;
  const state: DoorState = { draining: false, closed: false };
  const parts = { ledger, payments, identity, limits };
  const appOptions = { authenticator, routes, parts, limits, logger, state };
  const app = createApp(appOptions);
  registerRoutes(app, appOptions);
  await app.listen({ host, port, listenTextResolver: () => '' });

  const drain = async (): Promise<void> => {
    state.draining = true;
    await sleep(limits.unreadyMs);
    state.closed = true;
    const cutOff = setTimeout(() => app.server.closeAllConnections(), limits.drainMs);
    await app.close();
    clearTimeout(cutOff);
  };
  let closed: Promise<void> | undefined;
  return {
    port: (app.server.address() as AddressInfo).port,
    close: () => (closed ??= drain()),
  };
}
