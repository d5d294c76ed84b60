import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createServiceKey, issueServiceToken } from '../../../src/gateway/service-token.ts';
import { launcher } from '../../cli/kora-process.ts';

/** `kora serve` as a process of its own. */
export interface ServingProduct {
  readonly http: string;
  readonly rpc: string;
  readonly stream: string;
  /** The port of the stream door, for who does not speak WebSocket. */
  readonly streamOrigin: string;
  readonly pid: number;
  /** Of a service that may everything. */
  readonly token: string;
  /** SIGTERM, and what came of it. */
  stop(): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Started in a hook, and stopped there. */
export async function startServing(databaseUrl: string): Promise<ServingProduct> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-serving-'));
  const key = createServiceKey();
  const ports = { KORA_HTTP_PORT: '0', KORA_RPC_PORT: '0', KORA_STREAM_PORT: '0', KORA_METRICS_PORT: '0' };
  const child = spawn(process.execPath, [launcher, 'serve', '--json'], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATABASE_URL: databaseUrl,
      KORA_DATA_DIR: folder,
      KORA_SERVICE_KEY: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      KORA_IDENTITY_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      ...ports,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const first = await firstLine(child, () => stderr);
  const { http, rpc, stream, pid } = JSON.parse(first) as Record<'http' | 'rpc' | 'stream', string> & { pid: number };
  return {
    http,
    rpc,
    stream,
    streamOrigin: stream.replace(/^ws(.*)\/stream$/, 'http$1'),
    pid,
    token: await issueServiceToken({ key, service: 'till', tenant: 'kora', ttlSeconds: 3_600 }),
    async stop() {
      const closed = once(child, 'close') as Promise<[number | null]>;
      child.kill('SIGTERM');
      const [code] = await closed;
      await rm(folder, { recursive: true, force: true });
      return { code, stderr };
    },
  };
}

function firstLine(child: ChildProcessByStdio<null, Readable, Readable>, said: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('close', () => reject(new Error(`serve did not start: ${said()}`)));
  });
}
