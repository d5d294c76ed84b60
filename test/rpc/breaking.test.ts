import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The contract grows, and never breaks whoever has generated code from an earlier one: `npm run check:proto` compares it
// with the image in proto/released.binpb, and has to be able to fail.

const root = join(import.meta.dirname, '..', '..');
const buf = join(root, 'node_modules', '.bin', 'buf');
let copy: string;
beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'kora-breaking-'));
  await cp(join(root, 'proto'), join(copy, 'proto'), { recursive: true });
  await cp(join(root, 'buf.yaml'), join(copy, 'buf.yaml'));
});
afterEach(() => rm(copy, { recursive: true }));

const run = (...args: string[]) =>
  new Promise<{ code: number; output: string }>((resolve) => {
    execFile(buf, args, { cwd: copy }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
const breaking = () => run('breaking', '--against', 'proto/released.binpb');
const change = async (file: string, from: string | RegExp, to: string): Promise<void> => {
  const path = join(copy, 'proto', file);
  const text = await readFile(path, 'utf8');
  const changed = text.replace(from, to);
  expect(changed, `${file} holds ${String(from)}`).not.toBe(text);
  await writeFile(path, changed);
};

describe('the contract', () => {
  it('is checked by npm run check', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['check:proto']).toBe('buf lint && buf breaking --against proto/released.binpb');
    expect(scripts['check']).toContain('check:*');
  });

  it('breaks nobody as it is, and passes the lint', async () => {
    expect(await breaking()).toEqual({ code: 0, output: '' });
    expect(await run('lint')).toEqual({ code: 0, output: '' });
  });

  it.each<[string, string, string | RegExp, string, RegExp]>([
    ['a field that goes', 'kora/v1/payment.proto', /\n {2}string currency = 5;/, '', /field "5".*deleted/],
    ['a field with another type', 'kora/v1/payment.proto', 'string amount = 4;', 'int64 amount = 4;', /changed type/],
    [
      'a field with another number',
      'kora/v1/account.proto',
      'string currency = 3;',
      'string currency = 33;',
      /deleted/,
    ],
    ['a field with another name', 'kora/v1/account.proto', 'string posted =', 'string balance =', /changed .*name/],
    ['a method that goes', 'kora/v1/payment.proto', /\n {2}rpc Refund\(.*\n/, '\n', /RPC "Refund".*deleted/],
    [
      'a method that answers with something else',
      'kora/v1/payment.proto',
      'returns (PayResponse)',
      'returns (Payment)',
      /changed response type/,
    ],
    ['an enum value that goes', 'kora/v1/payment.proto', /\n {2}PAYMENT_KIND_P2P = \d+;/, '', /deleted/],
    [
      'a field that comes several times',
      'kora/v1/account.proto',
      'string posted =',
      'repeated string posted =',
      /cardinality/,
    ],
  ])('may not change by %s', async (_name, file, from, to, message) => {
    await change(file, from, to);
    const { code, output } = await breaking();
    expect(output).toMatch(message);
    expect(code).toBe(100);
  });

  it('may grow', async () => {
    await change(
      'kora/v1/payment.proto',
      'message Payment {',
      'message Payment {\n  // New.\n  optional string more = 1000;',
    );
    await change(
      'kora/v1/payment.proto',
      '  rpc Batch(',
      '  // New.\n  rpc Again(PayRequest) returns (PayResponse);\n  rpc Batch(',
    );
    expect(await breaking()).toEqual({ code: 0, output: '' });
  });
});
