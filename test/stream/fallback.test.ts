import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { StreamClient } from './support/client.ts';

/** Proves that the door opens where uWebSockets cannot be loaded, and says that it did so without it. */
interface Said {
  readonly level?: string;
  readonly message?: string;
  readonly port?: number;
  readonly transport?: string;
}

async function doorProcess(
  nodeOptions: readonly string[],
  use: (said: readonly Said[], port: number) => Promise<void>,
) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...nodeOptions, 'test/stream/fixtures/door-process.ts'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const said: Said[] = [];
    for await (const line of createInterface(child.stdout)) {
      const next = JSON.parse(line) as Said;
      said.push(next);
      if (next.port === undefined) continue;
      await use(said, next.port);
      return;
    }
    throw new Error('the process ended');
  } finally {
    child.kill('SIGKILL');
  }
}

async function served(port: number): Promise<void> {
  const client = await StreamClient.connect(port);
  await client.snapshot('payment/p');
  await client.close();
}

it('uWebSockets stands behind the door where it can be loaded', async () => {
  await doorProcess([], async (said, port) => {
    expect(said).toMatchObject([{ transport: 'uws' }]);
    await served(port);
  });
});

it('ws takes over, with a warning, where it cannot', async () => {
  await doorProcess(['--import', './test/stream/fixtures/without-uws.ts'], async (said, port) => {
    expect(said).toMatchObject([{ level: 'warn' }, { transport: 'ws' }]);
    expect(said[0]?.message).toContain('uWebSockets cannot be loaded');
    await served(port);
  });
});
