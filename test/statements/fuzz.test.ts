import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readerFor, readyMapping, StatementUnreadableError, statusReportReader } from '../../src/statements/index.ts';

// A million mutated bytes and more for every reader: nothing is thrown but the typed error, nothing hangs, nothing grows.

interface Subject {
  readonly name: string;
  readonly make: () => { push(bytes: Uint8Array): readonly unknown[]; end(): readonly unknown[] };
  /** Files that can be read; below KORA_DATA's `statements/<folder>` there are more. */
  readonly seeds: readonly string[];
  readonly folder?: string;
  /** What is put into a file in whole. */
  readonly words: readonly string[];
}

const MT940 = `{1:F01BANKDEFFXXXX0000000000}{2:I940CUSTDEFFXXXXN}{4:
:20:REF
:25:DE89370400440532013000
:28C:1/1
:60F:C260101EUR1000,00
:61:2601020102RD100,00NTRFNONREF//BANK
/OCMT/USD1,/CHGS/EUR2,50
:86:166?00TEXT?20EREF+A?21SVWZ+für dich?30BIC?31DE1?32NAME
:61:260103C5,NTRFX
:86:/EREF/A//CNTP/NL1/BIC/NAME//REMI/USTD//text/
- more
:62M:C260103EUR1105,00
:64:C260103EUR1105,00
:86:text
-}{5:{CHK:1}}
:20:B
:25:1
:34F:EURD1,
:13D:2601091733+0100
:61:260109EC5,NTRFA
:90C:0EUR0,
-
`;

const CAMT = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>1</Id>
<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-01</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-01</Dt></BookgDt><ValDt><Dt>2026-01-01</Dt></ValDt>
<NtryDtls><TxDtls><Refs><EndToEndId>E&amp;1</EndToEndId></Refs><RmtInf><Ustrd><![CDATA[x]]> &#252;</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>`;

const PAIN = `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt><GrpHdr><MsgId>M</MsgId></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>O</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>E</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`;

const mapping = readyMapping('mobile-money');

const XML_WORDS = [
  '<',
  '>',
  '&',
  '&#0;',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '<![CDATA[',
  ']]>',
  '<!--',
  '</Ntry>',
  '<Ntry>',
  '"',
];
const subjects: readonly Subject[] = [
  {
    name: 'mt940',
    make: () => readerFor('mt940'),
    seeds: [MT940],
    folder: 'mt940',
    words: [
      '\n',
      '\r',
      ':61:',
      ':86:',
      ':20:',
      ':25:',
      ':62F:',
      ':60F:',
      '-\n',
      '-}',
      '{1:F01',
      '{4:',
      '//',
      '?20',
      '\u0001',
      'ü',
      ',',
      '.',
    ],
  },
  { name: 'camt', make: () => readerFor('camt.053'), seeds: [CAMT], folder: 'camt053', words: XML_WORDS },
  { name: 'pain.002', make: () => statusReportReader(), seeds: [PAIN], folder: 'pain002', words: XML_WORDS },
  {
    name: 'csv',
    make: () => readerFor('csv', mapping === undefined ? {} : { mapping }),
    seeds: [
      'Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Balance\n' +
        'QAB1,2026-01-02 10:00:00,"a ""b"", c",Completed,"1,234.50",,2000.00\nQAB2,2026-01-01 10:00:00,x,Completed,,-5.00,765.50\n'.repeat(
          20,
        ),
    ],
    words: ['"', ';', '\n', '\r\n', '""', ',', '.', '-', '\u0000'],
  },
];

const data = process.env['KORA_DATA'];

function seedsOf({ seeds, folder }: Subject): Uint8Array[] {
  const own = seeds.map((text) => new TextEncoder().encode(text));
  const path = join(data ?? '', 'statements', folder ?? '');
  if (data === undefined || folder === undefined || !existsSync(path)) return own;
  return [...own, ...readdirSync(path).map((name) => new Uint8Array(readFileSync(join(path, name))))];
}

/** mulberry32: the same numbers in every run, so that what fails once fails again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function mutated(file: Uint8Array, words: readonly Uint8Array[], next: (below: number) => number): Uint8Array {
  let bytes = [...file];
  for (let changes = next(3) > 0 ? 1 : 1 + next(12); changes > 0; changes--) {
    const at = next(bytes.length + 1);
    const length = next(30);
    const word = words[next(words.length)] ?? new Uint8Array(0);
    const kind = next(9);
    if (kind === 0) bytes[at % Math.max(1, bytes.length)] = next(256);
    else if (kind === 1) bytes.splice(at, length);
    else if (kind === 2) bytes.splice(at, 0, ...word);
    else if (kind === 3) bytes.splice(at, 0, ...bytes.slice(at, at + length * 4));
    else if (kind === 4) bytes = bytes.slice(0, Math.max(1, at));
    else if (kind === 5) bytes.splice(at, word.length, ...word);
    else bytes[at % Math.max(1, bytes.length)] = 0x30 + next(75);
  }
  return Uint8Array.from(bytes);
}

/** Reads in two chunks; gives whether it could be read to the end. */
function survives(make: Subject['make'], file: Uint8Array, cut: number): boolean {
  const reader = make();
  try {
    reader.push(file.subarray(0, cut));
    reader.push(file.subarray(cut));
    reader.end();
    return true;
  } catch (error) {
    if (!(error instanceof StatementUnreadableError)) throw error;
    return false;
  }
}

describe.each(subjects)('$name', (subject) => {
  test('takes a million mutated bytes', { timeout: 120_000 }, () => {
    const seeds = seedsOf(subject);
    const words = subject.words.map((word) => new TextEncoder().encode(word));
    const next = random(20_261_127);
    let bytesCount = 0;
    let readCount = 0;
    let refusedCount = 0;
    let slowestMs = 0;
    while (bytesCount < 1_200_000) {
      const file = mutated(seeds[next(seeds.length)] ?? new Uint8Array(0), words, next);
      bytesCount += file.length;
      const begun = performance.now();
      try {
        if (survives(subject.make, file, next(file.length + 1))) readCount += 1;
        else refusedCount += 1;
      } catch (error) {
        throw new Error(`not its own error for ${JSON.stringify(Buffer.from(file).toString('latin1'))}`, {
          cause: error,
        });
      }
      slowestMs = Math.max(slowestMs, performance.now() - begun);
    }
    // Both must happen, or the mutations are too weak or too strong to say anything.
    expect(Math.min(readCount, refusedCount)).toBeGreaterThan(10);
    expect(slowestMs).toBeLessThan(2_000);
  });

  test('does not hoard what never ends', { timeout: 120_000 }, () => {
    const [seed = ''] = subject.seeds;
    for (const filler of ['A', ' ', '<', '"', '\n', '?20', '{4:', '\u0001', ':86:\n']) {
      const reader = subject.make();
      const chunk = new TextEncoder().encode(filler.repeat(Math.ceil(65_536 / filler.length)));
      const begun = performance.now();
      const before = process.memoryUsage();
      try {
        reader.push(new TextEncoder().encode(seed.slice(0, seed.length / 2)));
        for (let pushed = 0; pushed < 10_000_000; pushed += chunk.length) reader.push(chunk);
        reader.end();
      } catch (error) {
        expect(error).toBeInstanceOf(StatementUnreadableError);
      }
      expect(performance.now() - begun, filler).toBeLessThan(10_000);
      const grown = process.memoryUsage();
      expect(grown.heapUsed - before.heapUsed, filler).toBeLessThan(150_000_000);
    }
  });
});
