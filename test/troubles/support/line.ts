import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { onTestFinished } from 'vitest';

/** The network between a kora and its Postgres. */
export interface Line {
  /** Leads through it. */
  readonly databaseUrl: string;
  /** Ends every connection and takes no new one. */
  cut(): void;
  /** Swallows every byte from now on and closes nothing. */
  silence(): void;
  /** New connections pass. Those that were silenced stay silent for ever, as after a firewall that has forgotten them. */
  mend(): void;
}

export async function lineTo({ host = '', port = 5432, user = '', database = '' }: pg.PoolConfig): Promise<Line> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-line-'));
  const name = `.s.PGSQL.${port}`;
  let state: 'open' | 'cut' | 'silent' = 'open';
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket | undefined }>();
  const line = createServer((client) => {
    client.on('error', () => undefined);
    if (state === 'cut') {
      client.destroy();
      return;
    }
    const server = state === 'open' ? connect(join(host, name)) : undefined;
    const pair = { client, server };
    pairs.add(pair);
    client.on('close', () => {
      pairs.delete(pair);
      server?.destroy();
    });
    server?.on('error', () => undefined).on('close', () => client.destroy());
    if (server === undefined) client.resume();
    else client.pipe(server).pipe(client);
  });
  await new Promise<void>((resolve) => line.listen(join(folder, name), resolve));
  onTestFinished(async () => {
    for (const { client } of pairs) client.destroy();
    await new Promise((resolve) => line.close(resolve));
    await rm(folder, { recursive: true });
  });
  return {
    databaseUrl: `postgresql://${user}@${encodeURIComponent(folder)}:${port}/${database}`,
    cut() {
      state = 'cut';
      for (const { client } of pairs) client.destroy();
    },
    silence() {
      state = 'silent';
      for (const { client, server } of pairs) {
        client.unpipe();
        client.resume();
        server?.unpipe();
        server?.resume();
      }
    },
    mend() {
      state = 'open';
    },
  };
}
