import { describe, expect, it } from 'vitest';
import { CamtWriter } from '../testing/camt-document.ts';
import { problemsOf, readAll, statementsOf } from '../testing/reading.ts';
import { camtReader, type CamtOptions } from './camt-reader.ts';

/** What banks send as camt.052, 053 and 054 is read as they meant it, in every version and dialect that is known. */

const writer = new CamtWriter({ format: 'camt.053', version: 2 });

function read(text: string | Uint8Array, options?: CamtOptions) {
  const { parts, error } = readAll(camtReader(options), text);
  return { statements: statementsOf(parts), problems: problemsOf(parts), error };
}

function readOne(content: readonly string[], options?: CamtOptions, from = writer) {
  const { statements, problems, error } = read(from.document([from.statement(content)]), options);
  const [statement] = statements;
  return { statement, line: statement?.lines[0], problems, error, codes: problems.map(({ code }) => code) };
}

const versions = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const formats = ['camt.052', 'camt.053', 'camt.054'] as const;

describe.each(formats)('%s', (format) => {
  it.each(versions)('is read in version %d', (version) => {
    const from = new CamtWriter({ format, version });
    const { statement, problems, error } = readOne(
      [
        from.balance('OPBD', '100.00'),
        from.balance('CLBD', '80.50', { date: '2026-11-27' }),
        from.entry('0.50', {
          reference: 'BANK-1',
          details: from.detail('0.50', { endToEndId: 'E2E-1', party: 'Ama', remittance: ['invoice', '42'] }),
        }),
        from.entry('20.00', { sign: 'DBIT', details: from.detail('20.00', { sign: 'DBIT', party: 'Kofi' }) }),
      ],
      {},
      from,
    );
    expect({ problems, error }).toEqual({ problems: [], error: undefined });
    expect(statement?.head).toMatchObject({
      format,
      account: 'DE89370400440532013000',
      currency: 'EUR',
      reference: 'S1',
      sequence: '7',
      opening: { amount: 10000n, date: '2026-11-26', kind: 'OPBD' },
    });
    expect(statement?.lines).toMatchObject([
      {
        index: 0,
        amount: 50n,
        valueDate: '2026-11-26',
        entryDate: '2026-11-26',
        reference: 'E2E-1',
        bankReference: 'BANK-1',
        text: 'invoice\n42',
        details: { counterpartyName: 'Ama', endToEndId: 'E2E-1' },
      },
      { index: 1, amount: -2000n, reference: '', details: { counterpartyName: 'Kofi' } },
    ]);
    expect(statement?.foot).toEqual({
      closing: { amount: 8050n, date: '2026-11-27', kind: 'CLBD' },
      otherBalances: [],
      linesCount: 2,
    });
  });
});

describe('the document', () => {
  it('has a prefix of any name, and elements of other namespaces are no part of it', () => {
    const from = new CamtWriter({ format: 'camt.053', version: 8, prefix: 'ns2' });
    const foreign =
      '<x:Ntry xmlns:x="urn:x"><x:Amt Ccy="EUR">9.99</x:Amt></x:Ntry><Ntry xmlns="urn:y"><Amt>1</Amt></Ntry>';
    const { statement, error } = readOne([foreign, from.entry('1.00')], {}, from);
    expect(error).toBeUndefined();
    expect(statement?.lines.map(({ amount }) => amount)).toEqual([100n]);
  });

  it('may stand in an envelope, and may declare its namespace once more inside', () => {
    const inner = writer.document([writer.statement([writer.entry('1.00')])]).replace(/^<\?xml.*\n/, '');
    const again = inner.replace('<BkToCstmrStmt', `<BkToCstmrStmt xmlns="${writer.namespace}"`);
    const { statements } = read(`<Envelope><Header><Document-Id/></Header>${again}</Envelope>`);
    expect(statements[0]?.lines).toHaveLength(1);
  });

  it('of a newer version is read, and said to be one', () => {
    const { statement, codes } = readOne(
      [writer.entry('1.00')],
      {},
      new CamtWriter({ format: 'camt.053', version: 13 }),
    );
    expect(statement?.lines).toHaveLength(1);
    expect(codes).toContain('VersionUnknown');
  });

  it('without a namespace is read by the name of its message, and said to be one', () => {
    const text = writer.document([writer.statement([writer.entry('1.00')])]).replace(/ xmlns="[^"]*"/, '');
    const { statements, problems } = read(text);
    expect(statements[0]?.lines).toHaveLength(1);
    expect(problems.map(({ code }) => code)).toEqual(['NamespaceMissing']);
  });

  it.each([
    [
      'a pain.001',
      '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><CstmrCdtTrfInitn/></Document>',
      'WrongDocument',
    ],
    [
      'a message under the namespace of another',
      `<Document xmlns="${writer.namespace}"><BkToCstmrAcctRpt/></Document>`,
      'WrongDocument',
    ],
    ['a document with nothing in it', `<Document xmlns="${writer.namespace}"/>`, 'WrongDocument'],
    ['other XML', '<html><body/></html>', 'UnknownFormat'],
  ])('is unreadable when it is %s', (_, text, code) => {
    expect(read(text).error?.code).toBe(code);
  });

  it('without any statement is a problem, not silence', () => {
    const { statements, problems } = read(writer.document([]));
    expect(statements).toEqual([]);
    expect(problems.map(({ code }) => code)).toEqual(['NoStatement']);
  });

  it('holds several statements, with entries or without', () => {
    const { statements, error } = read(
      writer.document([
        writer.statement([writer.balance('OPBD', '1.00'), writer.balance('CLBD', '1.00')], { id: 'A' }),
        writer.statement([writer.entry('2.00')], { id: 'B', account: 'FR7630006000011234567890189' }),
      ]),
    );
    expect(error).toBeUndefined();
    expect(
      statements.map(({ head, lines, foot }) => [head.reference, head.account, lines.length, foot?.linesCount]),
    ).toEqual([
      ['A', 'DE89370400440532013000', 0, 0],
      ['B', 'FR7630006000011234567890189', 1, 1],
    ]);
  });

  it('says its page, by the statement, else by the message', () => {
    const page = (number: string, last: string) => `<PgNb>${number}</PgNb><LastPgInd>${last}</LastPgInd>`;
    const own = read(
      writer.document(
        [writer.statement([], { page: page('3', 'false') })],
        `<MsgPgntn>${page('9', 'true')}</MsgPgntn>`,
      ),
    );
    expect(own.statements[0]?.head).toMatchObject({ page: 3, lastPage: false });
    const message = read(writer.document([writer.statement([])], `<MsgPgntn>${page('2', 'true')}</MsgPgntn>`));
    expect(message.statements[0]?.head).toMatchObject({ page: 2, lastPage: true });
  });

  it('is of an account by IBAN or by number, and says so when by none', () => {
    const text = writer.document([writer.statement([])]);
    const other = text.replace(/<IBAN>.*<\/IBAN>/, '<Othr><Id>60000635</Id></Othr>');
    expect(read(other).statements[0]?.head.account).toBe('60000635');
    const none = read(text.replace(/<IBAN>.*<\/IBAN>/, ''));
    expect(none.problems.map(({ code }) => code)).toEqual(['AccountMissing']);
  });
});

describe('balances', () => {
  const bal = (code: string, amount: string, more = {}) => writer.balance(code, amount, more);

  it.each([
    ['OPBD before PRCD', [bal('PRCD', '1.00'), bal('OPBD', '2.00'), bal('CLBD', '3.00')], 'OPBD', 'CLBD', ['PRCD']],
    ['PRCD where there is no OPBD', [bal('PRCD', '1.00'), bal('CLBD', '3.00')], 'PRCD', 'CLBD', []],
    ['OPBD alone, and nothing as closing', [bal('OPBD', '1.00')], 'OPBD', undefined, []],
    [
      'available balances as neither',
      [bal('OPAV', '1.00'), bal('CLAV', '2.00'), bal('FWAV', '3.00')],
      undefined,
      undefined,
      ['OPAV', 'CLAV', 'FWAV'],
    ],
    ['one interim balance at the end', [bal('OPBD', '1.00'), bal('ITBD', '2.00')], 'OPBD', 'ITBD', []],
    [
      'an interim balance before a CLBD at the beginning',
      [bal('ITBD', '1.00'), bal('CLBD', '2.00')],
      'ITBD',
      'CLBD',
      [],
    ],
    ['two interim balances at both ends', [bal('ITBD', '1.00'), bal('ITBD', '2.00')], 'ITBD', 'ITBD', []],
    [
      'proprietary ones as neither',
      [bal('OPBD', '1.00').replace('<Cd>OPBD</Cd>', '<Prtry>LIMIT</Prtry>')],
      undefined,
      undefined,
      ['LIMIT'],
    ],
    [
      'intermediate ones of pages',
      [bal('OPBD', '1.00', { subType: 'INTM' }), bal('CLBD', '2.00', { subType: 'INTM' })],
      'OPBD/INTM',
      'CLBD/INTM',
      [],
    ],
    ['a type without a choice', [bal('OPBD', '1.00').replaceAll(/<\/?CdOrPrtry>/g, '')], 'OPBD', undefined, []],
  ])('takes %s', (_, balances, opening, closing, others) => {
    const { statement } = readOne(balances);
    expect(statement?.head.opening?.kind).toBe(opening);
    expect(statement?.foot?.closing?.kind).toBe(closing);
    expect(statement?.foot?.otherBalances.map(({ kind }) => kind)).toEqual(others);
  });

  it('of several interim ones take the earliest and the latest, in whatever order they are sent', () => {
    const { statement } = readOne([
      bal('ITBD', '3.00', { date: '2026-11-27' }),
      bal('ITBD', '1.00', { date: '2026-11-25' }),
      bal('ITBD', '2.00', { date: '2026-11-26' }),
    ]);
    expect(statement?.head.opening?.amount).toBe(100n);
    expect(statement?.foot?.closing?.amount).toBe(300n);
  });

  it('in debit are negative once', () => {
    const { statement } = readOne([bal('OPBD', '5.00', { sign: 'DBIT' }), bal('CLBD', '7.25', { sign: 'DBIT' })]);
    expect(statement?.head.opening?.amount).toBe(-500n);
    expect(statement?.foot?.closing?.amount).toBe(-725n);
  });

  it('given twice with different amounts are a problem', () => {
    expect(readOne([bal('CLBD', '1.00'), bal('CLBD', '2.00')]).codes).toEqual(['BalanceAmbiguous']);
    expect(readOne([bal('CLBD', '1.00'), bal('CLBD', '1.00')]).codes).toEqual([]);
  });

  it('in another currency are kept apart, with theirs', () => {
    const { statement } = readOne([bal('CLBD', '1.00'), bal('CLBD', '900', { currency: 'XOF' })]);
    expect(statement?.foot?.closing).toEqual({ amount: 100n, date: '2026-11-26', kind: 'CLBD' });
    expect(statement?.foot?.otherBalances).toEqual([
      { amount: 900n, date: '2026-11-26', kind: 'CLBD', currency: 'XOF' },
    ]);
  });

  it('behind the entries: a closing one is taken, an opening one is not, and it is said', () => {
    const { statement, codes } = readOne([writer.entry('1.00'), bal('OPBD', '0.00'), bal('CLBD', '1.00')]);
    expect(statement?.head.opening).toBeUndefined();
    expect(statement?.foot?.closing?.amount).toBe(100n);
    expect(codes).toEqual(['BalanceMisplaced']);
  });

  it('give the currency where the account does not; else the entries do', () => {
    const by = (content: readonly string[]) =>
      read(writer.document([writer.statement(content, { currency: '' })])).statements[0]?.head.currency;
    expect(by([bal('OPBD', '1', { currency: 'XOF' })])).toBe('XOF');
    expect(by([writer.entry('1.000', { currency: 'TND' })])).toBe('TND');
    expect(by([])).toBeUndefined();
  });
});

describe('amounts', () => {
  it.each([
    ['1.00', 'EUR', 100n],
    ['01.00', 'EUR', 100n],
    ['200.0000', 'EUR', 20000n],
    ['.5', 'EUR', 50n],
    ['7', 'XOF', 7n],
    ['7.00', 'XOF', 7n],
    ['1.234', 'TND', 1234n],
    ['9007199254740993.01', 'EUR', 900719925474099301n],
    ['\n 12.30 \n', 'EUR', 1230n],
  ])('%s %s is exactly %d', (text, currency, minor) => {
    const content = writer.statement([writer.entry(text, { currency })], { currency });
    expect(read(writer.document([content])).statements[0]?.lines[0]?.amount).toBe(minor);
  });

  it.each([
    ['more decimals than the currency has', '1.005', 'EUR', 'AmountUnreadable'],
    ['decimals where there are none', '1.5', 'XOF', 'AmountUnreadable'],
    ['a comma', '1,00', 'EUR', 'AmountUnreadable'],
    ['a sign of its own', '-1.00', 'EUR', 'AmountUnreadable'],
    ['nothing', '', 'EUR', 'AmountUnreadable'],
    ['a point only', '.', 'EUR', 'AmountUnreadable'],
    ['an exponent', '1e2', 'EUR', 'AmountUnreadable'],
    ['more digits than money has', '1'.repeat(31), 'EUR', 'AmountUnreadable'],
    ['no currency', '1.00', '', 'CurrencyUnknown'],
    ['no currency of ISO 4217', '1.00', 'XAU', 'CurrencyUnknown'],
  ])('with %s are an error with its place, and never 0 or rounded', (_, text, currency, code) => {
    const { error, statement } = readOne([writer.entry('2.00'), writer.entry(text, { currency })]);
    expect(error).toMatchObject({ code, line: 5 });
    expect(error?.column).toBeGreaterThan(1);
    expect(statement?.lines.map(({ amount }) => amount)).toEqual([200n]);
  });

  it('without CdtDbtInd are an error: a sign is not guessed', () => {
    for (const wrong of [
      writer.entry('1.00').replace(/<CdtDbtInd>.*<\/CdtDbtInd>/, ''),
      writer.entry('1.00', { sign: 'credit' }),
    ]) {
      expect(readOne([wrong]).error?.code).toBe('SignMissing');
    }
  });

  it('in another currency than the statement keep theirs, of which the checks make a problem', () => {
    const { line, codes } = readOne([writer.balance('OPBD', '0.00'), writer.entry('500', { currency: 'XOF' })]);
    expect(line).toMatchObject({ amount: 500n, currency: 'XOF' });
    expect(codes).toEqual([]);
  });
});

describe('entries', () => {
  it.each([2, 8])('that are not booked are counted and are no lines (version %d)', (version) => {
    const from = new CamtWriter({ format: 'camt.052', version });
    const { statement, codes } = readOne(
      [
        from.entry('1.00', { status: 'PDNG' }),
        from.entry('2.00'),
        from.entry('3.00', { status: 'PDNG' }),
        from.entry('4.00', { status: 'INFO' }),
      ],
      {},
      from,
    );
    expect(statement?.lines.map(({ amount, index }) => [amount, index])).toEqual([[200n, 0]]);
    expect(statement?.foot).toMatchObject({ linesCount: 1, notBookedCounts: { PDNG: 2, INFO: 1 } });
    expect(codes).toEqual([]);
  });

  it('of a status that is not known are counted, and said', () => {
    const { statement, codes } = readOne([writer.entry('1.00', { status: 'HELD' })]);
    expect(statement?.foot?.notBookedCounts).toEqual({ HELD: 1 });
    expect(codes).toEqual(['StatusUnknown']);
  });

  it('without a status are lines, and said', () => {
    const { line, codes } = readOne([writer.entry('1.00').replace(/<Sts>.*<\/Sts>/, '')]);
    expect(line?.amount).toBe(100n);
    expect(codes).toEqual(['StatusMissing']);
  });

  it.each([
    ['sign-is-effect', 'DBIT', -100n],
    ['sign-is-effect', 'CRDT', 100n],
    ['sign-is-original', 'DBIT', 100n],
    ['sign-is-original', 'CRDT', -100n],
  ] as const)('that are reversals have the effect of the profile: %s, %s', (reversals, sign, amount) => {
    for (const reversal of ['true', '1']) {
      expect(readOne([writer.entry('1.00', { sign, reversal })], { reversals }).line).toMatchObject({
        amount,
        reversal: true,
      });
    }
    const plain = readOne([writer.entry('1.00', { sign, reversal: 'false' })], { reversals }).line;
    expect(plain).toMatchObject({ amount: sign === 'CRDT' ? 100n : -100n, reversal: false });
  });

  it('of a bank that repeats the original sign are read with their parts, which turn as well', () => {
    const details = writer.detail('1.00', { sign: 'DBIT' }) + writer.detail('2.00', { sign: 'DBIT' });
    const { line, codes } = readOne([writer.entry('3.00', { sign: 'DBIT', reversal: 'true', details })], {
      reversals: 'sign-is-original',
    });
    expect(line).toMatchObject({ amount: 300n, batch: [{ amount: 100n }, { amount: 200n }] });
    expect(codes).toEqual([]);
  });

  it.each([
    [
      'an instant, as the day that the bank wrote',
      { booking: '<BookgDt><DtTm>2026-11-26T23:59:59-11:00</DtTm></BookgDt>' },
      '2026-11-26',
      '2026-11-26',
    ],
    ['a day with a zone', { value: '<ValDt><Dt>2026-11-28+01:00</Dt></ValDt>' }, '2026-11-28', '2026-11-26'],
    ['no value date: the booking date', { value: '' }, '2026-11-26', '2026-11-26'],
    ['no booking date', { booking: '' }, '2026-11-26', undefined],
  ])('are dated by %s', (_, dates, value, booking) => {
    const { line, codes } = readOne([writer.entry('1.00', dates)]);
    expect([line?.valueDate, line?.entryDate]).toEqual([value, booking]);
    expect(codes).toEqual([]);
  });

  it('without any date take that of the closing balance, else of the statement, and it is said', () => {
    const undated = writer.entry('1.00', { booking: '', value: '' });
    const closing = readOne([writer.balance('CLBD', '1.00', { date: '2026-11-25' }), undated]);
    expect([closing.line?.valueDate, closing.codes]).toEqual(['2026-11-25', ['DateMissing']]);
    expect(readOne([undated]).line?.valueDate).toBe('2026-11-27');
    const text = writer
      .document([writer.statement([undated])])
      .replace(/(<ElctrncSeqNb>7<\/ElctrncSeqNb>)<CreDtTm>.*?<\/CreDtTm>/, '$1');
    expect(read(text).error?.code).toBe('DateMissing');
  });

  it.each(['2026-02-29', '2026-13-01', '26-11-2026', '2026-11-26X', ''])('dated %j are an error', (day) => {
    expect(readOne([writer.entry('1.00', { value: `<ValDt><Dt>${day}</Dt></ValDt>` })]).error?.code).toBe(
      'DateUnreadable',
    );
  });

  it('that are the same are all lines', () => {
    const same = writer.entry('1.00', { reference: 'R', details: writer.detail('1.00', { endToEndId: 'E' }) });
    expect(readOne([same, same, same]).statement?.lines).toHaveLength(3);
  });
});

describe('details', () => {
  const line = (details: string, more = {}) => readOne([writer.entry('3.00', { details, ...more })]);

  it('of a batch are its parts, and it is one line', () => {
    const { statement, codes } = line(
      '<Btch><PmtInfId>BATCH-7</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>' +
        writer.detail('1.00', { endToEndId: 'A', remittance: ['a'] }) +
        writer.detail('2.00', { endToEndId: 'B' }),
    );
    expect(statement?.lines).toMatchObject([
      {
        amount: 300n,
        reference: 'BATCH-7',
        text: '',
        batch: [
          { amount: 100n, reference: 'A', text: 'a' },
          { amount: 200n, reference: 'B', text: '' },
        ],
      },
    ]);
    expect(statement?.foot?.linesCount).toBe(1);
    expect(codes).toEqual([]);
  });

  it.each([
    ['do not add up', writer.detail('1.00') + writer.detail('1.00'), 'DetailsSumMismatch'],
    [
      'are another number than the bank says',
      '<Btch><NbOfTxs>3</NbOfTxs></Btch>' + writer.detail('1.00') + writer.detail('2.00'),
      'BatchCountMismatch',
    ],
    ['have no amount', writer.detail('3.00') + writer.detail(''), 'BatchAmountMissing'],
    ['are one with another amount', writer.detail('2.99'), 'DetailsSumMismatch'],
  ])('that %s are a problem', (_, details, code) => {
    expect(line(details).codes).toEqual([code]);
  });

  it('may differ from their entry by its charges', () => {
    const charges = '<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">0.50</TtlChrgsAndTaxAmt></Chrgs>';
    const read = line(writer.detail('1.50') + writer.detail('2.00'), { more: charges });
    expect(read.codes).toEqual([]);
    expect(read.line?.details?.charges).toBe(50n);
  });

  it('of both signs add up by theirs', () => {
    const from = new CamtWriter({ format: 'camt.053', version: 8 });
    const details = from.detail('5.00', { sign: 'CRDT' }) + from.detail('2.00', { sign: 'DBIT' });
    const read = readOne([from.entry('3.00', { details })], {}, from);
    expect(read.line?.batch?.map(({ amount }) => amount)).toEqual([500n, -200n]);
    expect(read.codes).toEqual([]);
  });

  it('in another currency are not taken for the entry’s amount', () => {
    const amounts =
      '<TxDtls><AmtDtls><InstdAmt><Amt Ccy="USD">3.40</Amt></InstdAmt><TxAmt><Amt Ccy="USD">3.40</Amt></TxAmt>' +
      '<CntrValAmt><Amt Ccy="EUR">3.00</Amt></CntrValAmt></AmtDtls></TxDtls>';
    expect(line(amounts)).toMatchObject({ codes: [], line: { amount: 300n } });
    expect(line(amounts.replace('3.00', '2.00')).codes).toEqual(['DetailsSumMismatch']);
  });

  it('of one payment hold every reference by its name', () => {
    const refs =
      '<TxDtls><Refs><MsgId>m</MsgId><AcctSvcrRef>bank</AcctSvcrRef><PmtInfId>p</PmtInfId><InstrId>i</InstrId>' +
      '<EndToEndId>NOTPROVIDED</EndToEndId><TxId>t</TxId><MndtId>mandate</MndtId><ChqNb>77</ChqNb><ClrSysRef>c</ClrSysRef>' +
      '<Prtry><Tp>__proto__</Tp><Ref>x</Ref></Prtry></Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>';
    const { line: read } = line(refs, { more: '<BkTxCd><Prtry><Cd>N247</Cd></Prtry></BkTxCd>' });
    expect(read).toMatchObject({ reference: 'NOTPROVIDED', bankReference: 'bank', transactionCode: 'N247' });
    expect(read?.details?.mandateId).toBe('mandate');
    expect(Object.entries(read?.details?.references ?? {})).toEqual([
      ['MsgId', 'm'],
      ['AcctSvcrRef', 'bank'],
      ['PmtInfId', 'p'],
      ['InstrId', 'i'],
      ['EndToEndId', 'NOTPROVIDED'],
      ['TxId', 't'],
      ['MndtId', 'mandate'],
      ['ChqNb', '77'],
      ['ClrSysRef', 'c'],
      ['Prtry/__proto__', 'x'],
      ['RtrRsn', 'AC04'],
      ['BkTxCd/Prtry', 'N247'],
    ]);
  });

  it.each([
    ['unstructured lines, as sent', '<RmtInf><Ustrd> a</Ustrd><Ustrd>b </Ustrd></RmtInf>', ' a\nb '],
    [
      'the creditor’s reference',
      '<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18</Ref></CdtrRefInf></Strd></RmtInf>',
      'RF18',
    ],
    [
      'the documents that are paid',
      '<RmtInf><Strd><RfrdDocInf><Nb>INV-1</Nb></RfrdDocInf><AddtlRmtInf>less 2 %</AddtlRmtInf></Strd></RmtInf>',
      'INV-1\nless 2 %',
    ],
    ['what the bank adds to it', '<AddtlTxInf>added</AddtlTxInf>', 'added'],
    ['what the bank adds to the entry', '', 'of the entry'],
  ])('say as text %s', (_, inner, text) => {
    const entry = writer.entry('3.00', { details: `<TxDtls>${inner}</TxDtls>` });
    const read = readOne([entry.replace('</Ntry>', '<AddtlNtryInf>of the entry</AddtlNtryInf></Ntry>')]).line;
    expect(read?.text).toBe(text);
    expect(read?.details?.postingText).toBe(text === 'of the entry' ? undefined : 'of the entry');
  });

  it.each([
    ['an IBAN and a BIC', '<IBAN>NL20INGB0001234567</IBAN>', '<BIC>INGBNL2A</BIC>', 'NL20INGB0001234567', 'INGBNL2A'],
    ['a number and a BICFI', '<Othr><Id>0001</Id></Othr>', '<BICFI>INGBNL2A</BICFI>', '0001', 'INGBNL2A'],
    [
      'a number and a clearing code',
      '<Othr><Id>0001</Id></Othr>',
      '<ClrSysMmbId><MmbId>042962</MmbId></ClrSysMmbId>',
      '0001',
      '042962',
    ],
  ])('say the other side by %s', (_, id, agent, account, bank) => {
    const parties = (role: string) =>
      `<TxDtls><RltdPties><${role}><Nm>N</Nm></${role}><${role}Acct><Id>${id}</Id></${role}Acct></RltdPties>` +
      `<RltdAgts><${role}Agt><FinInstnId>${agent}</FinInstnId></${role}Agt></RltdAgts></TxDtls>`;
    const expected = { counterpartyName: 'N', counterpartyAccount: account, counterpartyBank: bank };
    expect(line(parties('Dbtr')).line?.details).toMatchObject(expected);
    expect(line(parties('Cdtr'), { sign: 'DBIT' }).line?.details).toMatchObject(expected);
  });

  it('with both sides named: of a credit it is the debtor, of a debit the creditor', () => {
    const both = '<TxDtls><RltdPties><Dbtr><Nm>D</Nm></Dbtr><Cdtr><Nm>C</Nm></Cdtr></RltdPties></TxDtls>';
    expect(line(both).line?.details?.counterpartyName).toBe('D');
    expect(line(both, { sign: 'DBIT' }).line?.details?.counterpartyName).toBe('C');
  });

  it.each([
    [
      'charge by charge (02)',
      '<Chrgs><Amt Ccy="EUR">1.00</Amt></Chrgs><Chrgs><Amt Ccy="EUR">0.20</Amt><CdtDbtInd>DBIT</CdtDbtInd></Chrgs>',
      120n,
    ],
    [
      'in records (03 and later)',
      '<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">9.00</TtlChrgsAndTaxAmt><Rcrd><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd><Rcrd><Amt Ccy="EUR">0.25</Amt><CdtDbtInd>CRDT</CdtDbtInd></Rcrd></Chrgs>',
      75n,
    ],
    ['in another currency: not in the amount', '<Chrgs><Amt Ccy="USD">1.00</Amt></Chrgs>', undefined],
  ])('say charges %s', (_, more, charges) => {
    expect(line('', { more }).line?.details?.charges).toBe(charges);
  });
});

describe('the bank’s own sums', () => {
  const summary = (count: string, credits: string) =>
    `<TxsSummry><TtlNtries><NbOfNtries>${count}</NbOfNtries></TtlNtries><TtlCdtNtries><Sum>${credits}</Sum></TtlCdtNtries></TxsSummry>`;

  it('are held against the entries', () => {
    expect(readOne([summary('1', '1.0000'), writer.entry('1.00')]).codes).toEqual([]);
    expect(readOne([summary('2', '1.00'), writer.entry('1.00')]).codes).toEqual(['SummaryMismatch']);
    expect(readOne([summary('1', '2.00'), writer.entry('1.00')]).codes).toEqual(['SummaryMismatch']);
  });
});
