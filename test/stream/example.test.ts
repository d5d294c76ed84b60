import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { must, openWallets, p2p } from '../support/wallets.ts';
import { openDoor, openDoorToReopen } from './support/door.ts';
import { expectedOf } from './support/oracle.ts';

/** Proves that the client in docs/stream.md, as it stands there, misses nothing and repeats nothing. */
it('the example for Node sees every event once, across a restart of the server', async () => {
  const docs = await readFile('docs/stream.md', 'utf8');
  const example = /## In Node\n\n```js\n([\s\S]*?)```/.exec(docs)?.[1] ?? '';
  const log = new MemoryLog();
  const runtime = new Runtime({ log });
  await openWallets(runtime, { ada: 10_000n, ben: 0n });
  let door = await openDoorToReopen(log);
  const { port } = door;
  const env = { ...process.env, KORA_STREAM: `ws://127.0.0.1:${port}/stream`, KORA_TOKEN: 'good' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', example], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let heard = (): void => undefined;
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    heard();
  });
  const until = async (satisfied: () => boolean): Promise<void> => {
    while (!satisfied()) await new Promise<void>((resolve) => (heard = resolve));
  };
  try {
    await until(() => lines.some((line) => line.startsWith('account/ada is {')));
    const pay = (key: string): Promise<unknown> => must(runtime, p2p('ada', 'ben', 1n, key));
    for (let index = 0; index < 20; index++) await pay(`before ${index}`);
    const closing = door.close();
    for (let index = 0; index < 20; index++) await pay(`meanwhile ${index}`);
    await closing;
    door = await openDoor(log, {}, { port });
    for (let index = 0; index < 20; index++) await pay(`after ${index}`);

    const told = (topic: string): number[] =>
      lines
        .flatMap((line) => (line.startsWith(`${topic} `) ? [Number(line.split(' ')[1])] : []))
        .filter(Number.isFinite);
    for (const [topic, has] of [
      ['payments', 0],
      ['account/ada', 2],
    ] as const) {
      const expected = (await expectedOf(log, topic)).slice(has).map(({ position }) => position);
      await until(() => told(topic).length >= expected.length);
      expect(told(topic)).toEqual(expected);
    }
  } finally {
    child.kill();
    await door.close();
  }
});
