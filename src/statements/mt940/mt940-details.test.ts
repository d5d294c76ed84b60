import { describe, expect, test } from 'vitest';
import { mt940Details } from './mt940-details.ts';

// Structured text is taken apart by what it is, and text without a structure is left alone.

describe('structured :86:', () => {
  const detailsOf = (text: string): unknown => mt940Details(text, '', 'EUR');

  test.each(['?', '<', '>', '^', '~', '@'])('subfields behind %s', (sign) => {
    const text = `166?00UEBERWEISUNG?109201?20Rechnung 4711?21vom Mai?30INGBNL2A?31123?32MUELLER &?33 SOEHNE?38NL20INGB0001234567`;
    expect(detailsOf(text.replaceAll('?', sign))).toEqual({
      postingText: 'UEBERWEISUNG',
      remittance: 'Rechnung 4711 vom Mai',
      counterpartyBank: 'INGBNL2A',
      counterpartyAccount: 'NL20INGB0001234567',
      counterpartyName: 'MUELLER & SOEHNE',
      references: { PRIMANOTA: '9201' },
    });
  });

  test('a subfield that is full goes on in the next one, whatever line ends are within', () => {
    expect(detailsOf('008?20123456789012345678901234567?2\n1890 and ?60more')).toEqual({
      remittance: '123456789012345678901234567890 and  more',
    });
  });

  test('the words of SEPA', () => {
    expect(detailsOf('166?20EREF+2026-E?21-1?22MREF+M1?23CRED+DE98?24SVWZ+Rech?25nung 4711?26ABWA+Other')).toEqual({
      endToEndId: '2026-E-1',
      mandateId: 'M1',
      remittance: 'Rechnung 4711',
      references: { EREF: '2026-E-1', MREF: 'M1', CRED: 'DE98', ABWA: 'Other' },
    });
    expect(detailsOf('EREF+NOTPROVIDED\nSVWZ+Miete')).toEqual({
      endToEndId: 'NOTPROVIDED',
      remittance: 'Miete',
      references: { EREF: 'NOTPROVIDED' },
    });
  });

  test('code words of ABN AMRO, Rabobank, ING', () => {
    expect(
      detailsOf(
        '/TRTP/SEPA OVERBOEKING/IBAN/FR7630001007941234567890185/BIC/GEFRADAM\n/NAME/ENERGY BEDRIJF/REMI/KLANT 4711/EREF/NOTPROVIDED',
      ),
    ).toEqual({
      postingText: 'SEPA OVERBOEKING',
      counterpartyAccount: 'FR7630001007941234567890185',
      counterpartyBank: 'GEFRADAM',
      counterpartyName: 'ENERGY BEDRIJF',
      remittance: 'KLANT 4711',
      endToEndId: 'NOTPROVIDED',
      references: { EREF: 'NOTPROVIDED' },
    });
    expect(detailsOf('/EREF/E1/ORDP//NAME/J. Jansen/ADDR/Straat 1/REMI/Factuur 1/2')).toEqual({
      endToEndId: 'E1',
      counterpartyName: 'J. Jansen',
      remittance: 'Factuur 1/2',
      references: { EREF: 'E1', ADDR: 'Straat 1' },
    });
    expect(
      detailsOf('/EREF/E1//MARF/M1//CNTP/NL32INGB0000012345/INGBNL2A/ING Testrekening/City///REMI/USTD//Eneco 4711/'),
    ).toEqual({
      endToEndId: 'E1',
      mandateId: 'M1',
      counterpartyAccount: 'NL32INGB0000012345',
      counterpartyBank: 'INGBNL2A',
      counterpartyName: 'ING Testrekening',
      remittance: 'Eneco 4711',
      references: { EREF: 'E1', MARF: 'M1' },
    });
  });

  test.each(['', 'BEA   NR:XXX1234', '999PN5477SCHECK-NR. 1', '/a/b', '-TX TRN-REF', 'what? 20 of them', '2,5 ?20'])(
    'without a structure: %s',
    (text) => expect(detailsOf(text)).toBeUndefined(),
  );

  test('amounts of supplementary details', () => {
    expect(mt940Details('', '/OCMT/USD10,/CHGS/EUR2,50/CHGS/EUR0,5', 'EUR')).toEqual({
      references: { OCMT: 'USD10,', CHGS: 'EUR0,5' },
      charges: 300n,
    });
    expect(mt940Details('', '/CHGS/USD2,50', 'EUR')).toEqual({ references: { CHGS: 'USD2,50' } });
    expect(mt940Details('', '/CHGS/EUR2,505', 'EUR')).toEqual({ references: { CHGS: 'EUR2,505' } });
  });
});
