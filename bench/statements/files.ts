/**
 * Files of any size, made piece by piece: of banks' customers nobody has 120,000 lines to give away. Each line has what
 * banks send with a payment, and an amount of its own, so that a sum shows whether all of them were read.
 */

/** Minor units of the line. */
export function amountOf(line: number): number {
  return ((line * 7_919) % 1_000_000) + 1;
}

/** The sum of the first `count` lines: every third is a debit. */
export function sumOf(count: number): bigint {
  let sum = 0;
  for (let line = 0; line < count; line++) sum += isDebit(line) ? -amountOf(line) : amountOf(line);
  return BigInt(sum);
}

function isDebit(line: number): boolean {
  return line % 3 === 2;
}

function decimal(minor: number): string {
  return `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
}

/** camt.053 of version 08, as camt-parser reads it. */
export function* camtPieces(count: number): Generator<string> {
  yield (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">' +
    '<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-27T06:00:00+01:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id>' +
    '<ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-11-27T06:00:00+01:00</CreDtTm>' +
    '<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy><Ownr><Nm>Kora</Nm></Ownr></Acct>\n' +
    balance('OPBD', 0n) +
    balance('CLBD', sumOf(count))
  );
  for (let line = 0; line < count; line++) yield entry(line);
  yield '</Stmt></BkToCstmrStmt></Document>';
}

function balance(code: string, amount: bigint): string {
  const sign = amount < 0n ? 'DBIT' : 'CRDT';
  const size = decimal(Number(amount < 0n ? -amount : amount));
  return `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${size}</Amt><CdtDbtInd>${sign}</CdtDbtInd><Dt><Dt>2026-11-26</Dt></Dt></Bal>\n`;
}

function entry(line: number): string {
  const amount = decimal(amountOf(line));
  const [sign, role] = isDebit(line) ? ['DBIT', 'Cdtr'] : ['CRDT', 'Dbtr'];
  return `<Ntry><NtryRef>${line}</NtryRef><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-11-26</Dt></BookgDt><ValDt><Dt>2026-11-26</Dt></ValDt><AcctSvcrRef>BANK${line}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>E2E-${line}</EndToEndId></Refs><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${sign}</CdtDbtInd>
<RltdPties><${role}><Pty><Nm>Müller &amp; Söhne ${line}</Nm></Pty></${role}><${role}Acct><Id><IBAN>NL20INGB0001234567</IBAN></Id></${role}Acct></RltdPties>
<RltdAgts><${role}Agt><FinInstnId><BICFI>INGBNL2A</BICFI></FinInstnId></${role}Agt></RltdAgts>
<RmtInf><Ustrd>Invoice 2026-${line} of November, with thanks</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
`;
}

/** One message of MT940 with text as German banks structure it, wrapped as SWIFT does. */
export function* mt940Pieces(count: number): Generator<string> {
  yield ':20:R1\r\n:25:DE89370400440532013000\r\n:28C:1/1\r\n:60F:C261126EUR0,00\r\n';
  for (let line = 0; line < count; line++) {
    const amount = decimal(amountOf(line)).replace('.', ',');
    yield (
      `:61:2611261126${isDebit(line) ? 'D' : 'C'}${amount}NTRFE2E-${line}//BANK${line}\r\n` +
      `:86:166?00GUTSCHRIFT?109201?20EREF+E2E-${line}?21SVWZ+Invoice 2026-${line}?22 of Nov\r\n` +
      `ember, with thanks?30INGBNL2A?31NL20INGB0001234567?32Mueller & Soehne ${line}\r\n`
    );
  }
  const sum = sumOf(count);
  const size = decimal(Number(sum < 0n ? -sum : sum)).replace('.', ',');
  yield `:62F:${sum < 0n ? 'D' : 'C'}261126EUR${size}\r\n-\r\n`;
}

/** Stripe's itemized report; every fourth description has quotes around it. */
export function* csvPieces(count: number): Generator<string> {
  yield 'balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description\n';
  for (let line = 0; line < count; line++) {
    const net = `${isDebit(line) ? '-' : ''}${decimal(amountOf(line))}`;
    const text = line % 4 === 0 ? `"Order ${line}, with ""thanks"""` : `Order ${line}`;
    yield `txn_1MiN3gLkdIwHu7ix${line},2026-11-25 22:10:05,2026-11-27 00:00:00,eur,${net},0.00,${net},charge,ch_3MiN3gLkdIwHu7ix${line},${text}\n`;
  }
}

/** In chunks, as a file is read. */
export function* chunksOf(pieces: Iterable<string>, bytes = 65_536): Generator<Uint8Array> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length >= bytes) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}
