import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kora } from './kora-process.ts';

// `kora statements parse` as people and programs start it: one JSON document, and an exit code that says how it went.

const GOOD =
  ':20:R\r\n:25:DE1\r\n:28C:1/1\r\n:60F:D260101EUR10,00\r\n' +
  ':61:2601020103RC1,5NTRFREF//BANK\r\n:86:für dich\r\n- und mich\r\n:61:260102RD2,NMSCX\r\n:62F:D260102EUR9,50\r\n-\r\n';

describe('kora statements parse', { timeout: 60_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kora-statements-'));
    await writeFile(join(folder, 'good.sta'), GOOD, 'latin1');
    await writeFile(join(folder, 'wrong.sta'), GOOD.replace('9,50', '9,51'), 'latin1');
    await writeFile(join(folder, 'broken.sta'), GOOD.replace('RD2,N', 'RD2.0,0N'), 'latin1');
    await writeFile(join(folder, 'no-currency.sta'), GOOD.replaceAll('EUR', ''), 'latin1');
    await writeFile(join(folder, 'unknown.bin'), 'hello');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const parse = (...args: string[]): ReturnType<typeof kora> =>
    kora(['statements', 'parse', ...args.map((arg) => (/\.\w+$/.test(arg) ? join(folder, arg) : arg))]);

  const read = {
    account: 'DE1',
    currency: 'EUR',
    openingBalance: '-1000',
    closingBalance: '-950',
    lines: [
      {
        valueDate: '2026-01-02',
        entryDate: '2026-01-03',
        amount: '-150',
        reference: 'REF',
        bankReference: 'BANK',
        text: 'für dich\n- und mich',
      },
      { valueDate: '2026-01-02', entryDate: null, amount: '200', reference: 'X', bankReference: '', text: '' },
    ],
  };

  test('read: 0, and exactly what is promised', async () => {
    const { code, stdout, stderr } = await parse('good.sta', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toStrictEqual({ statements: [read], problems: [] });
  });

  test('read with problems: 2', async () => {
    const { code, stdout } = await parse('good.sta', 'wrong.sta', '--json');
    expect(code).toBe(2);
    const document = JSON.parse(stdout) as { statements: unknown[]; problems: Record<string, unknown>[] };
    expect(document.statements).toStrictEqual([read, { ...read, closingBalance: '-951' }]);
    expect(document.problems).toMatchObject([{ code: 'BalanceMismatch', file: join(folder, 'wrong.sta') }]);
  });

  test('unreadable: 1, with line and column, and nothing printed as if it were all', async () => {
    const { code, stdout, stderr } = await parse('broken.sta', '--json');
    expect(code).toBe(1);
    expect(stderr).toContain('line 8, column 16: ');
    expect(JSON.parse(stdout)).toMatchObject({
      statements: [],
      problems: [{ code: 'AmountUnreadable', line: 8, column: 16 }],
    });
    for (const file of ['unknown.bin', 'missing.sta']) {
      const other = await parse(file, '--json');
      expect(other.code).toBe(1);
      expect(JSON.parse(other.stdout)).toMatchObject({ statements: [], problems: [{}] });
    }
  });

  test('what the file does not say', async () => {
    expect((await parse('no-currency.sta', '--json')).code).toBe(1);
    const { code, stdout } = await parse('no-currency.sta', '--currency', 'EUR', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toStrictEqual({ statements: [read], problems: [] });
    expect((await parse('good.sta', '--currency', 'EURO')).code).toBe(2);
  });

  test('for people', async () => {
    const { code, stdout } = await parse('wrong.sta');
    expect(code).toBe(2);
    expect(stdout).toContain('mt940  DE1  EUR  no. 1/1');
    expect(stdout).toMatch(/2026-01-02 {2}2026-01-03 +-1\.50 {2}REF +BANK +für dich - und mich/);
    expect(stdout).toContain('! BalanceMismatch: ');
  });
});
