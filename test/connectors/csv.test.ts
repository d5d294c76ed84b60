import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BankSendResult,
  connectorKinds,
  keyReference,
  noTracing,
  type PayoutSlice,
} from '../../src/connectors/index.ts';
import { managing, parsed, profiles, slice } from './support/manager.ts';

/** Proves that a payment is one line that a bank gets once, whoever dies when, and that what the bank says is not guessed. */
const fixture = fileURLToPath(new URL('./fixtures/csv-process.ts', import.meta.url));
let folder: string;
const open: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kora-csv-'));
});
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  await rm(folder, { recursive: true });
});

function document(settings: object = {}): unknown {
  const limits = { concurrencyMax: 100 };
  const connector = { id: 'bank', type: 'csv', profile: 'mtn-momo', limits, settings: { folder, ...settings } };
  return { profiles, connectors: [connector] };
}

/** A process of ours, as far as the folder is concerned. */
async function started(settings: object = {}) {
  const managed = managing();
  open.push(() => managed.manager.close());
  await managed.manager.apply(parsed(document({ pollMs: 20, ...settings })));
  const { manager } = managed;
  return {
    ...managed,
    send: (each: PayoutSlice) => manager.send('bank', each),
    status: (each: PayoutSlice) => manager.status('bank', keyReference(each.idempotencyKey), each),
  };
}

/** The data lines of all batches in `out/` or, too, in `open/`. */
async function lines(...places: readonly ('out' | 'open')[]): Promise<string[]> {
  const found: string[] = [];
  for (const place of places) {
    for (const name of (await readdir(join(folder, place))).sort()) {
      found.push(...(await readFile(join(folder, place, name), 'utf8')).split('\n').slice(1, -1));
    }
  }
  return found;
}

async function said(name: string, text: string): Promise<void> {
  await writeFile(join(folder, 'in', `.${name}`), text);
  await rename(join(folder, 'in', `.${name}`), join(folder, 'in', name));
}

function refOf(result: BankSendResult): string {
  return result.outcome === 'accepted' ? result.providerRef : JSON.stringify(result);
}

describe('a batch', () => {
  it('has one line for each key, and is handed over whole when it is full', async () => {
    const { send } = await started({ batchLinesMax: 3, batchAgeMs: 3_600_000 });
    const payments = Array.from({ length: 7 }, (_, n) => slice({ account: n === 0 ? 'a "b", c' : `acct-${n}` }));
    const sent = await Promise.all([...payments, ...payments].map(send));
    expect(sent.map(({ outcome }) => outcome)).toEqual(Array(14).fill('accepted'));
    expect(sent.slice(7).map(refOf)).toEqual(sent.slice(0, 7).map(refOf));
    expect(new Set(sent.map(refOf)).size).toBe(7);
    expect(await lines('out')).toHaveLength(6);
    expect(await lines('open')).toHaveLength(1);
    const [first = ''] = (await lines('out')).filter((line) => line.includes(payments[0]?.idempotencyKey ?? ''));
    expect(first).toMatch(/^1,key-[^,]+,disburse,1500,XOF,"a ""b"", c",momo$/);
  });

  it('is handed over when it is old enough, and not while it is empty', async () => {
    const { send } = await started({ batchAgeMs: 60 });
    await send(slice());
    await expect.poll(() => lines('out'), { timeout: 20_000 }).toHaveLength(1);
    expect(await readdir(join(folder, 'open'))).toEqual([]);
  });

  it('is not written to at or after sendBefore', async () => {
    const { send, status } = await started();
    const late = slice({ sendBefore: new Date().toISOString() });
    expect(await send(late)).toEqual({ outcome: 'not_sent', reason: 'TooLate' });
    expect(await status(late)).toEqual({ status: 'not_found' });
  });
});

describe('after a restart', () => {
  it('a key that was sent is the same line, whether its batch is open, handed over or fetched by the bank', async () => {
    const settings = { batchLinesMax: 2, batchAgeMs: 3_600_000 };
    const before = await started(settings);
    const payments = [slice(), slice(), slice()];
    const sent: string[] = [];
    for (const each of payments) sent.push(refOf(await before.send(each)));
    await before.manager.close();
    for (const name of await readdir(join(folder, 'out'))) await rm(join(folder, 'out', name));
    const after = await started(settings);
    expect((await Promise.all(payments.map(after.send))).map(refOf)).toEqual(sent);
    expect(await Promise.all(payments.map(after.status))).toMatchObject(sent.map((ref) => ({ providerRef: ref })));
    // The next one goes on in the batch that was open.
    expect(refOf(await after.send(slice()))).toBe(`${(sent[2] ?? '').replace(/:1$/, '')}:2`);
  });

  it('a line without its end was never acknowledged, and is taken off', async () => {
    const before = await started({ batchAgeMs: 3_600_000 });
    await before.send(slice());
    await before.manager.close();
    const [name = ''] = await readdir(join(folder, 'open'));
    await appendFile(join(folder, 'open', name), '2,key-torn,disbu');
    const after = await started({ batchAgeMs: 3_600_000 });
    expect(await after.status(slice({ idempotencyKey: 'key-torn' }))).toEqual({ status: 'not_found' });
    expect(refOf(await after.send(slice({ idempotencyKey: 'key-torn' })))).toBe(`${name.replace('.csv', '')}:2`);
    expect(await lines('open')).toHaveLength(2);
  });

  it('a batch whose copy is kept, and that was not handed over yet, is handed over once', async () => {
    const before = await started({ batchAgeMs: 3_600_000 });
    const payment = slice();
    await before.send(payment);
    await before.manager.close();
    const [name = ''] = await readdir(join(folder, 'open'));
    await writeFile(join(folder, 'sent', name), await readFile(join(folder, 'open', name)));
    const after = await started({ batchAgeMs: 0 });
    await after.send(payment);
    await expect.poll(() => lines('out'), { timeout: 20_000 }).toHaveLength(1);
    await after.send(payment);
    expect(await lines('out', 'open')).toHaveLength(1);
  });

  it('of a process that was killed, another takes over its lock and goes on', async () => {
    const payment = slice();
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fixture, JSON.stringify(document()), JSON.stringify([payment])],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const [sent] = JSON.parse(line) as BankSendResult[];
    child.kill('SIGKILL');
    await once(child, 'exit');
    // As if it had died in the middle of a turn.
    const holder = { pid: child.pid, incarnation: 'gone', host: hostname() };
    await writeFile(join(folder, '.lock'), JSON.stringify(holder));
    const { send } = await started();
    expect(await send(payment)).toEqual(sent);
    expect(await lines('open')).toHaveLength(1);
  });
});

describe('several processes on one folder', () => {
  it('make one line of a key, however they race', async () => {
    const processes = await Promise.all([started(), started(), started()]);
    const payments = Array.from({ length: 10 }, () => slice());
    const sent = await Promise.all(processes.flatMap(({ send }) => payments.map(send)));
    expect(sent.map(({ outcome }) => outcome)).toEqual(Array(30).fill('accepted'));
    expect(new Set(sent.map(refOf)).size).toBe(10);
    expect(await lines('open', 'out')).toHaveLength(10);
  });

  it('send nothing while one of another machine has it', async () => {
    const { send, status } = await started({ lockWaitMs: 0 });
    await writeFile(join(folder, '.lock'), JSON.stringify({ pid: 1, incarnation: 'x', host: 'elsewhere' }));
    const payment = slice();
    expect(await send(payment)).toEqual({ outcome: 'not_sent', reason: 'Locked: Locked' });
    expect(await status(payment)).toEqual({ status: 'unknown', reason: 'FolderFailed: Locked' });
    await rm(join(folder, '.lock'));
    expect(await send(payment)).toMatchObject({ outcome: 'accepted' });
  });
});

describe('a status file', () => {
  it('says what became of payments by our keys; the last word counts; it is read once', async () => {
    const { send, status, manager } = await started();
    const [one, two, three] = [slice(), slice(), slice()];
    const refs = [];
    for (const each of [one, two, three]) refs.push(refOf(await send(each)));
    const rows = [`${one.idempotencyKey},confirmed,1500,20,`, `${two.idempotencyKey},refused,,,NoSuchAccount`];
    await said('day1.csv', `reference,status,amount,fee,code\n${rows.join('\n')}`);
    const confirmed = { status: 'confirmed', providerRef: refs[0], providerFee: '20' };
    expect(await status(one)).toEqual(confirmed);
    expect(await manager.status('bank', refs[0] ?? '', one)).toEqual(confirmed);
    expect(await status(two)).toEqual({
      status: 'refused',
      code: 'NoSuchAccount',
      elsewhere: false,
      providerRef: refs[1],
    });
    expect(await status(three)).toEqual({ status: 'pending', providerRef: refs[2] });
    expect(await send(two)).toEqual({ outcome: 'refused', code: 'NoSuchAccount', elsewhere: false });
    await said('day1.csv', `reference,status\n${one.idempotencyKey},settled\n`);
    expect(await status(one)).toMatchObject({ status: 'settled' });
    expect(await readdir(join(folder, 'in'))).toEqual([]);
    expect((await readdir(join(folder, 'done'))).sort()).toEqual(['00000001-day1.csv', '00000002-day1.csv']);
    await manager.close();
    const after = await started();
    expect(await after.status(one)).toMatchObject({ status: 'settled' });
    expect(await after.status(two)).toMatchObject({ status: 'refused' });
  });

  it('has its broken lines put aside with a reason, and the others taken', async () => {
    const { send, status, troubles } = await started();
    const payments = Array.from({ length: 6 }, () => slice());
    for (const each of payments) await send(each);
    const key = (n: number) => payments[n]?.idempotencyKey ?? '';
    const broken = [
      `${key(0)},done,1500`,
      `key-of-nobody,confirmed,1500`,
      `${key(1)},confirmed,1499`,
      `"${key(2)},confirmed,1500`,
      `${key(3)},confirmed`,
    ];
    await said('day.csv', ['reference,status,amount', ...broken, `${key(4)},confirmed,1500`].join('\r\n'));
    expect(await status(payments[4] ?? slice())).toMatchObject({ status: 'confirmed' });
    for (const each of payments.slice(0, 4)) expect(await status(each)).toMatchObject({ status: 'pending' });
    const aside = parse(await readFile(join(folder, 'quarantine', '00000001-day.csv'), 'utf8'));
    expect(aside).toEqual([
      ['line', 'reason', 'text'],
      ['2', 'a status is one of pending, confirmed, settled, refused', broken[0]],
      ['3', 'we have sent no payment with this reference', broken[1]],
      ['4', 'its amount is not the one that we have sent', broken[2]],
      ['5', 'quotes that do not match', broken[3]],
      ['6', '3 cells are wanted', broken[4]],
    ]);
    expect(troubles.join()).toContain('5 broken lines of a status file are in quarantine/');
  });

  it('without the columns that it must have says nothing', async () => {
    const { send, status } = await started();
    const payment = slice();
    await send(payment);
    await said('day.csv', `${payment.idempotencyKey},confirmed\n`);
    expect(await status(payment)).toMatchObject({ status: 'pending' });
    expect(await readdir(join(folder, 'quarantine'))).toHaveLength(1);
  });
});

describe('statements', () => {
  it('are refused where nothing takes them in', async () => {
    const ground = { now: Date.now, tracing: noTracing, nonces: { claim: () => Promise.resolve(true) } };
    for (const kind of connectorKinds()) {
      const connector = kind.create({ ...ground, onTrouble: () => undefined });
      await expect(connector.parseStatement('1')).rejects.toMatchObject({ code: 'NotSupported' });
      const meta = { bank_profile_id: 'x', file_name: 'y', received_at: 'z' };
      await expect(connector.uploadStatement(Buffer.alloc(0), meta)).rejects.toMatchObject({ code: 'NotSupported' });
    }
  });
});
