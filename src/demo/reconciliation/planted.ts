/** The provider's report as it was sent, with differences that somebody must find. */
export interface Planted {
  readonly csv: string;
  /** What the rows say that were changed: `reference` is the payment's id. */
  readonly left: { readonly reference: string };
  readonly changed: { readonly reference: string };
  readonly invented: { readonly amount: bigint };
}

/** Minor units by which one amount is wrong, and of a line that is nobody's. */
const WRONG_BY = 100n;
const NOBODYS = 777n;

/** @param reports of the provider, with their headers: `date,id,reference,operation,amount,fee,net,currency` */
export function plantDifferences(reports: readonly string[]): Planted {
  const [header = ''] = reports[0]?.split('\n') ?? [];
  const rows = reports.flatMap((csv) => csv.trim().split('\n').slice(1)).map((row) => row.split(','));
  const [left, changed, ...others] = rows;
  if (left === undefined || changed === undefined) throw new Error('the provider has reported fewer than two payments');
  const wrong = changed.map((cell, index) => (index === 6 ? String(BigInt(cell) + WRONG_BY) : cell));
  const [date = ''] = left;
  const invented = [date, 'x-0', 'unknown-000000', 'collect', String(NOBODYS), '0', String(NOBODYS), 'XOF'];
  return {
    csv: [header, ...[wrong, ...others, invented].map((row) => row.join(','))].map((row) => `${row}\n`).join(''),
    left: { reference: left[2] ?? '' },
    changed: { reference: changed[2] ?? '' },
    invented: { amount: NOBODYS },
  };
}

/** What the bank of the provider's account says of that day: a fee and interest. */
export function bankStatement(date: string): string {
  const day = date.slice(2).replaceAll('-', '');
  return [
    ':20:STARTUMS',
    ':25:SN08SN0100152000048500003035',
    ':28C:1/1',
    `:60F:C${day}XOF1000000,`,
    `:61:${day}${day.slice(2)}D500,NCHGNONREF//F1`,
    ':86:ACCOUNT FEE',
    `:61:${day}${day.slice(2)}C120,NINTNONREF//F2`,
    ':86:INTEREST',
    `:62F:C${day}XOF999620,`,
    '-',
    '',
  ].join('\r\n');
}
