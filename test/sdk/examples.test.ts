/** The examples run as people run them, as processes against the real product, and say what they promise. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStage, type Stage } from './support/stage.ts';

let stage: Stage;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  stage = await openStage();
  const { baseUrl, streamUrl } = stage.urls;
  env = {
    PATH: process.env['PATH'],
    KORA_URL: baseUrl,
    KORA_STREAM: streamUrl,
    KORA_TOKEN: await stage.serviceToken('shop'),
  };
});
afterAll(() => stage.close());

const pathOf = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

/** What an example prints. Rejects when it fails. */
async function printed(name: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [pathOf(name)], { env });
  return stdout.trimEnd().split('\n');
}

it('open a wallet and pay', async () => {
  const lines = await printed('open-a-wallet-and-pay.ts');
  expect(lines.filter((line) => !line.startsWith('  '))).toEqual([
    "Ada's wallet is OPEN, with 0 XOF",
    '50000 is too much: 5000 is there',
    'Ada pays Ben 1500 XOF: SETTLED',
    'Ada has 3500',
    'Ben has 1500',
  ]);
  expect(lines.filter((line) => line.startsWith('  ')).length).toBeGreaterThan(0);
});

it('watch a payment, over a restart of the server', async () => {
  const child = spawn(process.execPath, [pathOf('watch-a-payment.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const ended = once(child, 'close');
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await stage.stop();
  await stage.start();
  expect(await ended).toEqual([0, null]);
  expect(lines).toEqual([
    'it is INITIATED',
    'PaymentAuthorized: it is AUTHORIZED',
    'PaymentCaptured: it is CAPTURED',
    'PaymentSettled: it is SETTLED',
  ]);
});

it('a merchant taking a payment and refunding it', async () => {
  expect(await printed('merchant-payment-and-refund.ts')).toEqual([
    '6000 is held once: true',
    '4000 is taken: CAPTURED',
    'the shop has its money: SETTLED, fee 60',
    'REFUND of 1000: SETTLED',
    'not more than was taken: 3000 is left',
    'Ada has 7000',
    'the shop has 2940',
  ]);
});
