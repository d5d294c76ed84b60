import { describe, expect, it } from 'vitest';
import { camtReader } from '../camt/camt-reader.ts';
import { CamtWriter } from '../testing/camt-document.ts';
import { problemsOf, readAll, statementsOf } from '../testing/reading.ts';

/** XML from outside: character sets by what the file says, attacks refused, and no input makes the reader grow. */

const writer = new CamtWriter({ format: 'camt.053', version: 2 });
const withText = (text: string) =>
  writer.document([
    writer.statement([writer.entry('1.00', { details: writer.detail('1.00', { remittance: [text] }) })]),
  ]);
const declared = (text: string, charset: string) => withText(text).replace('UTF-8', charset);

function read(file: Uint8Array | string) {
  const { parts, error } = readAll(camtReader(), file);
  return { text: statementsOf(parts)[0]?.lines[0]?.text, codes: problemsOf(parts).map(({ code }) => code), error };
}

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf16 = (text: string, littleEndian: boolean, bom: boolean) => {
  const codes = bom ? `\uFEFF${text}` : text;
  const bytes = new Uint8Array(codes.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < codes.length; i++) view.setUint16(i * 2, codes.charCodeAt(i), littleEndian);
  return bytes;
};
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('character sets', () => {
  it.each([
    ['UTF-8', utf8(withText('Müller € 🏦')), 'Müller € 🏦'],
    ['UTF-8 with a byte order mark', utf8(`\uFEFF${withText('Müller')}`), 'Müller'],
    ['UTF-8 without a declaration', utf8(withText('Müller').replace(/<\?xml.*\?>\n/, '')), 'Müller'],
    ['UTF-16 with a mark, little end first', utf16(declared('Müller €', 'UTF-16'), true, true), 'Müller €'],
    ['UTF-16 with a mark, big end first', utf16(declared('Müller €', 'UTF-16'), false, true), 'Müller €'],
    ['UTF-16 without a mark', utf16(declared('Müller', 'UTF-16LE'), true, false), 'Müller'],
    ['ISO-8859-1', latin1(declared('Müller', 'ISO-8859-1')), 'Müller'],
    ['ISO-8859-15', latin1(declared('10 \xa4', 'ISO-8859-15')), '10 €'],
    ['CP1252', latin1(declared('\x8010 \x93x\x94', 'windows-1252')), '€10 “x”'],
    ['US-ASCII', latin1(declared('Mueller', 'US-ASCII')), 'Mueller'],
  ])('%s is read as it says', (_, bytes, text) => {
    expect(read(bytes)).toEqual({ text, codes: [], error: undefined });
  });

  it('ISO-8859-1 with the letters of CP1252 is read as that, and it is said', () => {
    expect(read(latin1(declared('\x80 5', 'ISO-8859-1')))).toEqual({
      text: '€ 5',
      codes: ['CharsetContradicted'],
      error: undefined,
    });
  });

  it.each([
    ['bytes that are no UTF-8', latin1(withText('Müller'))],
    ['a mark of UTF-16 under UTF-8', utf16(withText('x'), true, true)],
    ['a mark of UTF-8 under ISO-8859-1', utf8(`\uFEFF${declared('x', 'ISO-8859-1')}`)],
    ['UTF-16 that is none', utf8(declared('x', 'UTF-16'))],
    ['more than ASCII under US-ASCII', utf8(declared('Müller', 'US-ASCII'))],
  ])('%s contradict the declaration', (_, bytes) => {
    expect(read(bytes).error?.code).toBe('CharsetContradicted');
  });

  it('a wrong byte has its line and column', () => {
    const lines = withText('MMüller').split('\n');
    const line = lines.findIndex((one) => one.includes('ü'));
    const column = (lines[line]?.indexOf('ü') ?? 0) + 1;
    const { error } = read(latin1(lines.join('\n')));
    expect(error?.line).toBe(line + 1);
    expect(Math.abs((error?.column ?? 0) - column)).toBeLessThanOrEqual(1);
  });

  it('a name of a character set that is not known is an error, not a guess', () => {
    expect(read(declared('x', 'EBCDIC-CP-DK')).error?.code).toBe('CharsetUnknown');
  });
});

describe('attacks', () => {
  const body = withText('&lol9;').replace(/<\?xml.*\?>\n/, '');
  const lol = Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i};`.repeat(10)}">`).join('');

  it.each([
    ['a billion laughs', `<!DOCTYPE x [<!ENTITY lol0 "lol">${lol}]>${body}`, 'DoctypeRefused'],
    ['an external entity', `<!DOCTYPE x [<!ENTITY lol9 SYSTEM "file:///etc/passwd">]>${body}`, 'DoctypeRefused'],
    ['an external DTD', `<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">${body}`, 'DoctypeRefused'],
    ['a parameter entity', `<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///x"> %p;]>${body}`, 'DoctypeRefused'],
    ['an entity that nobody declared', body, 'XmlMalformed'],
    ['a DOCTYPE without an end', `<!DOCTYPE x [${'<!ENTITY a "b">'.repeat(200_000)}`, 'TooLong'],
    ['elements without an end', `<a>`.repeat(100_000), 'TooDeep'],
    [
      'a text without an end',
      `<Document xmlns="${writer.namespace}"><BkToCstmrStmt><Stmt><Id>${'x'.repeat(3_000_000)}`,
      'TooLong',
    ],
    ['a comment without an end', `<!--${'x'.repeat(3_000_000)}`, 'TooLong'],
    ['an attribute without an end', `<a b="${'x'.repeat(3_000_000)}`, 'TooLong'],
    [
      'attributes without an end',
      `<Document ${Array.from({ length: 50 }, (_, i) => `a${i}="1"`).join(' ')}/>`,
      'TooLong',
    ],
    [
      'an entry without an end',
      `<Document xmlns="${writer.namespace}"><BkToCstmrStmt><Stmt><Ntry>${'<a/>'.repeat(300_000)}`,
      'TooLong',
    ],
  ])('%s is refused', (_, text, code) => {
    expect(read(text).error?.code).toBe(code);
  });
});

describe('long files', () => {
  it('may have as much white space between elements as they like', () => {
    const entries = Array.from({ length: 3_000 }, () => writer.entry('1.00') + ' '.repeat(100));
    const { parts, error } = readAll(camtReader(), writer.document([writer.statement(entries)]));
    expect(error).toBeUndefined();
    expect(statementsOf(parts)[0]?.lines).toHaveLength(3_000);
  });
});

describe('broken files', () => {
  const whole = withText('x');

  it('that end too early say so, and hand over what was whole', () => {
    const { parts, error } = readAll(camtReader(), whole.slice(0, whole.indexOf('</Stmt>')));
    expect(error?.code).toBe('Truncated');
    expect(statementsOf(parts)[0]?.lines).toHaveLength(1);
  });

  it('that are empty are truncated', () => {
    expect(read('').error?.code).toBe('Truncated');
  });

  it('with tags that do not match have the place, and quote nothing of the file', () => {
    const text = whole.replace('</NtryDtls>', '</Kwame></NtryDtls>');
    let message = '';
    try {
      const reader = camtReader();
      reader.push(utf8(text));
      reader.end();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^line 4, column \d+: not well-formed XML \(unexpected close tag\)/);
    expect(message).not.toContain('Kwame');
  });

  it('throw the same again at every further call', () => {
    const reader = camtReader();
    expect(() => reader.push(utf8('<a></b>'))).toThrow('not well-formed');
    expect(() => reader.push(utf8('<c/>'))).toThrow('not well-formed');
    expect(() => reader.end()).toThrow('not well-formed');
  });
});
