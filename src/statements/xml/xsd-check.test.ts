import { describe, expect, it } from 'vitest';
import { CamtWriter } from '../testing/camt-document.ts';
import { SchemaUnusableError, xsdProblems } from './xsd-check.ts';

/** A document is held against a schema, and what does not fit is said with its line and without its values. */

const writer = new CamtWriter({ format: 'camt.053', version: 2 });
const bytes = (text: string) => new TextEncoder().encode(text);

/** A schema of a few of the message's rules: those of the standard are not ours to copy. */
const schema = bytes(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="${writer.namespace}"
    targetNamespace="${writer.namespace}" elementFormDefault="qualified">
  <xs:element name="Document"><xs:complexType><xs:sequence><xs:element name="BkToCstmrStmt"><xs:complexType><xs:sequence>
    <xs:element name="GrpHdr"><xs:complexType><xs:sequence>
      <xs:element name="MsgId" type="Max35Text"/><xs:element name="CreDtTm" type="xs:dateTime"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="Stmt" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
  <xs:simpleType name="Max35Text"><xs:restriction base="xs:string"><xs:maxLength value="35"/></xs:restriction></xs:simpleType>
</xs:schema>`);

const whole = writer.document([writer.statement([writer.entry('1.00')])]);

describe('a schema', () => {
  it('that a document fits gives no problem', async () => {
    expect(await xsdProblems(bytes(whole), schema)).toEqual([]);
  });

  it.each([
    [
      'a text that is too long',
      whole.replace('<MsgId>M1<', `<MsgId>${'Kwame '.repeat(7)}<`),
      "MsgId: its value breaks the schema's rule maxLength",
    ],
    [
      'a value of another type',
      whole.replace('2026-11-27T06:00:00+01:00', 'Kwame'),
      "CreDtTm: its value is none of the schema's type xs:dateTime",
    ],
    [
      'an element that is too many',
      whole.replace('<MsgId>', '<Kwame/><MsgId>'),
      'Kwame: the schema does not expect it here',
    ],
    ['an element that is missing', whole.replace(/<CreDtTm>.*?<\/CreDtTm>/, ''), 'GrpHdr: an element is missing in it'],
    ['another message', whole.replaceAll('camt.053', 'camt.052'), 'Document: the schema is one of another message'],
  ])('finds %s', async (_, document, message) => {
    const [problem] = await xsdProblems(bytes(document), schema);
    expect(problem).toMatchObject({ code: 'SchemaMismatch', message, at: { line: 2 } });
    if (!message.startsWith('Kwame')) expect(problem?.message).not.toContain('Kwame');
  });

  it('finds nothing in a DOCTYPE: it is refused', async () => {
    const attack = whole.replace('<Document', '<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document');
    expect(await xsdProblems(bytes(attack), schema)).toMatchObject([{ code: 'DoctypeRefused' }]);
  });

  it('of a document that is not well-formed is a problem, not a fault', async () => {
    expect(await xsdProblems(bytes('<a>'), schema)).toMatchObject([{ code: 'SchemaMismatch', at: { line: 1 } }]);
  });

  it('that is none is a fault of the configuration', async () => {
    await expect(xsdProblems(bytes(whole), bytes('<a/>'))).rejects.toBeInstanceOf(SchemaUnusableError);
    await expect(xsdProblems(bytes(whole), bytes('nothing'))).rejects.toBeInstanceOf(SchemaUnusableError);
  });
});
