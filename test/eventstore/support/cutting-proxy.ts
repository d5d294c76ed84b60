import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { onTestFinished } from 'vitest';

/**
 * What becomes of a call on its way:
 * - `pass`: nothing
 * - `cut-request`: the server never gets it
 * - `cut-within-request`: the server gets the first half of its bytes
 * - `cut-answer`: the server has done it, the caller never hears
 * - `swallow-answer`: the same, but the connection looks alive for ever
 * - `cut-while-running`: the server has got it and goes on with it, the caller is cut off
 * - `stall-request`: nothing more of it is read until `release` is called
 */
export type Fate =
  | 'pass'
  | 'cut-request'
  | 'cut-within-request'
  | 'cut-answer'
  | 'swallow-answer'
  | 'cut-while-running'
  | 'stall-request';

/** Between a log and its Postgres. Calls of one prepared statement meet the fates in `fates`, in order; when there are none left they pass. */
export interface CuttingProxy {
  readonly config: pg.PoolConfig;
  readonly fates: Fate[];
  /** The statement that has fates. Default `eventstore.append`. */
  statement: string;
  /** Refuses every new connection while true. */
  refusing: boolean;
  /** Calls that have come by. */
  readonly calls: number;
  /** Before a fate strikes: the state of the world at that moment. */
  onStrike: ((fate: Fate) => Promise<void>) | undefined;
  /** Lets a stalled call go on. */
  release: () => void;
}

export async function cuttingProxy(target: pg.PoolConfig): Promise<CuttingProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-proxy-'));
  const proxy = new Proxy(target, folder);
  await proxy.listen();
  onTestFinished(async () => {
    await proxy.close();
    await rm(folder, { recursive: true });
  });
  return proxy;
}

class Proxy implements CuttingProxy {
  readonly config: pg.PoolConfig;
  readonly fates: Fate[] = [];
  statement = 'eventstore.append';
  refusing = false;
  calls = 0;
  onStrike: CuttingProxy['onStrike'];
  release = (): void => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #path: string;

  constructor(target: pg.PoolConfig, folder: string) {
    const port = target.port ?? 5432;
    this.config = { ...target, host: folder };
    this.#path = join(folder, `.s.PGSQL.${port}`);
    const host = target.host ?? '';
    const socketPath = join(host, `.s.PGSQL.${port}`);
    this.#server = createServer((client) => {
      if (this.refusing) client.destroy();
      else this.#serve(client, host.startsWith('/') ? connect(socketPath) : connect(port, host));
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.#path, resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket, server: Socket): void {
    let fate: Fate = 'pass';
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        if (fate !== 'cut-while-running') server.destroy();
      });
    }
    const strike = async (): Promise<void> => {
      await this.onStrike?.(fate);
      client.destroy();
    };
    client.on('data', (bytes) => {
      // A call names its prepared statement when it binds its parameters; a batch of a test is small enough for one piece.
      if (bytes.includes(this.statement)) {
        this.calls += 1;
        fate = this.fates.shift() ?? 'pass';
        if (fate === 'cut-within-request') server.write(bytes.subarray(0, bytes.length >> 1), () => void strike());
        if (fate === 'cut-within-request' || fate === 'cut-request') {
          if (fate === 'cut-request') void strike();
          return;
        }
        if (fate === 'cut-while-running') void strike();
        if (fate === 'stall-request') {
          client.pause();
          this.release = () => {
            server.write(bytes);
            client.resume();
          };
          void this.onStrike?.(fate);
          return;
        }
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (fate === 'swallow-answer') return;
      if (fate === 'cut-answer') void strike();
      else client.write(bytes);
    });
  }
}
