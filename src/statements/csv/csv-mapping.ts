import { Ajv, type ErrorObject } from 'ajv';
import { Type, type Static } from 'typebox';
import { exponentOf } from '../../kernel/currencies.ts';
import { CHARSETS } from '../charset-decoding.ts';
import { dateFormatOf } from './csv-date.ts';

/** The mapping cannot be right: where, and what is wanted there. */
export class CsvMappingError extends Error {
  override readonly name = 'CsvMappingError';
  readonly code = 'CsvMapping';
  /** Where in the document: `amount.column`. */
  readonly place: string;

  constructor(place: string, what: string) {
    super(place === '' ? what : `${place}: ${what}`);
    this.place = place;
  }
}

const closed = { additionalProperties: false };

function choice<Value extends string>(values: readonly Value[], more: object = {}) {
  return Type.Unsafe<Value>({ type: 'string', enum: values, ...more });
}

/** By its name in the header, by several names of which the first that is there counts, or by its number from 0. */
const column = Type.Unsafe<string | number | readonly string[]>({
  type: ['string', 'integer', 'array'],
  minLength: 1,
  minimum: 0,
  minItems: 1,
  items: { type: 'string', minLength: 1 },
  description: 'a column is wanted: its name, a list of names, or its number from 0',
});

const words = Type.Array(Type.String({ description: 'a text as it stands in the cells is wanted' }), {
  minItems: 1,
  description: 'a list of texts as they stand in the cells is wanted',
});

const mark = (description: string) => Type.String({ minLength: 1, maxLength: 1, description });

const date = Type.Object(
  {
    column,
    formats: Type.Array(
      Type.String({
        format: 'date-format',
        description:
          'a date format is wanted: iso, epoch-seconds, epoch-milliseconds, or tokens such as dd/MM/yyyy HH:mm:ss',
      }),
      { minItems: 1, description: 'a list of date formats is wanted' },
    ),
    /** In which zone its cells are, where they do not say it: `UTC` or `+03:00`. Default: in `timeZone`. */
    zone: Type.Optional(
      Type.String({
        pattern: '^(UTC|[+-][0-9]{2}:[0-9]{2})$',
        description: 'UTC or an offset such as +03:00 is wanted',
      }),
    ),
  },
  closed,
);

const fixedOrColumn = (fixed: object, description: string) =>
  Type.Object(
    { column: Type.Optional(column), fixed: Type.Optional(Type.String({ minLength: 1, ...fixed })) },
    { ...closed, minProperties: 1, description },
  );

const csvMapping = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$', description: 'a name is wanted, such as mobile-money' }),
    about: Type.Optional(Type.String()),
    charset: choice(CHARSETS, { default: 'utf-8' }),
    delimiter: Type.String({ minLength: 1, maxLength: 1, default: ',', description: 'one character is wanted' }),
    quote: Type.String({ minLength: 1, maxLength: 1, default: '"', description: 'one character is wanted' }),
    skipRows: Type.Integer({ minimum: 0, maximum: 1000, default: 0, description: 'a number of rows from 0 is wanted' }),
    /** `search`: the header is the first row that has every column named here, at most 50 rows down. */
    header: choice(['first', 'search', 'none'], { default: 'first' }),
    /** From the first row on whose first cell begins with one of these there are no bookings any more. */
    footers: Type.Optional(words),
    decimalMark: Type.String({ minLength: 1, maxLength: 1, default: '.', description: 'one character is wanted' }),
    thousandsMark: Type.Optional(mark('one character is wanted')),
    /** Whether amounts are decimal (`12.50`) or minor units (`1250`). */
    unit: choice(['decimal', 'minor'], { default: 'decimal' }),
    amount: Type.Object(
      {
        rule: choice(['signed', 'columns', 'direction']),
        column: Type.Optional(column),
        /** `signed`: + is a debit. */
        inverted: Type.Optional(Type.Boolean({ description: 'true or false is wanted' })),
        credit: Type.Optional(column),
        debit: Type.Optional(column),
        /** `columns`: whether debits are written without a sign, with a minus, or now so and now so. */
        debitSign: Type.Optional(choice(['none', 'minus', 'either'])),
        direction: Type.Optional(column),
        creditWords: Type.Optional(words),
        debitWords: Type.Optional(words),
      },
      closed,
    ),
    currency: fixedOrColumn(
      { format: 'iso-4217', description: 'a currency of ISO 4217 is wanted, such as XOF' },
      'a column, a fixed currency, or both (fixed where the column is absent) are wanted',
    ),
    account: fixedOrColumn({}, 'a column, a fixed account, or both (fixed where the column is absent) are wanted'),
    timeZone: Type.String({
      format: 'time-zone',
      default: 'UTC',
      description: 'a time zone is wanted, such as Africa/Abidjan',
    }),
    bookingDate: Type.Optional(date),
    valueDate: Type.Optional(date),
    /** Only rows with one of the values are bookings; the others are counted. */
    status: Type.Optional(Type.Object({ column, values: words }, closed)),
    fee: Type.Optional(column),
    balance: Type.Optional(
      Type.Object(
        {
          /** The balance after each row. */
          column: Type.Optional(column),
          order: choice(['oldest-first', 'newest-first'], { default: 'oldest-first' }),
          /** Rows that are no bookings but balances. */
          rows: Type.Optional(
            Type.Object(
              { column, opening: Type.Optional(words), closing: Type.Optional(words), amount: column },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    reference: Type.Optional(column),
    bankReference: Type.Optional(column),
    text: Type.Optional(Type.Array(column, { minItems: 1, description: 'a list of columns is wanted' })),
    transactionCode: Type.Optional(column),
    counterpartyName: Type.Optional(column),
    counterpartyAccount: Type.Optional(column),
    /** Of the columns above those that a report may lack. */
    optional: Type.Optional(
      Type.Array(choice(['reference', 'text', 'transactionCode', 'counterpartyName', 'counterpartyAccount'])),
    ),
    /** Further references, by the name that they are to have. */
    references: Type.Optional(Type.Record(Type.String(), column)),
  },
  closed,
);

/** How one provider's report is read. A document: docs/statements.md, "CSV mappings". */
export type CsvMapping = Static<typeof csvMapping>;
export type CsvColumn = Static<typeof column>;
export type CsvDate = Static<typeof date>;

const ajv = new Ajv({ verbose: true, allowUnionTypes: true, useDefaults: true, strictTypes: false });
ajv.addFormat('iso-4217', (value) => exponentOf(value) !== undefined);
ajv.addFormat('date-format', (value) => dateFormatOf(value) !== undefined);
ajv.addFormat('time-zone', (value) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
});
const check = ajv.compile<CsvMapping>(csvMapping);

/** Checks a document and fills its defaults in, in a copy. Throws `CsvMappingError` with the first mistake. */
export function csvMappingOf(document: unknown): CsvMapping {
  const copy: unknown = structuredClone(document);
  if (!check(copy)) throw mistakeOf(check.errors?.[0]);
  const mapping = copy;
  checkAmount(mapping.amount);
  if (mapping.bookingDate === undefined && mapping.valueDate === undefined) {
    throw new CsvMappingError('bookingDate', 'is missing, and so is valueDate: add one of them');
  }
  const { delimiter, quote, decimalMark, thousandsMark } = mapping;
  if (delimiter === quote) throw new CsvMappingError('quote', 'is the delimiter: another character is wanted');
  if (decimalMark === thousandsMark)
    throw new CsvMappingError('thousandsMark', 'is the decimal mark: leave it out or change it');
  if (/[0-9+-]/.test(decimalMark + (thousandsMark ?? ''))) {
    throw new CsvMappingError('decimalMark', 'a mark is wanted that is no digit and no sign');
  }
  return mapping;
}

/** What each rule of sign needs. */
function checkAmount(amount: CsvMapping['amount']): void {
  const needed = {
    signed: ['column'],
    columns: ['credit', 'debit'],
    direction: ['column', 'direction', 'creditWords', 'debitWords'],
  } as const;
  const wanted: readonly string[] = needed[amount.rule];
  for (const field of wanted) {
    if (!Object.hasOwn(amount, field))
      throw new CsvMappingError(`amount.${field}`, `is missing: the rule ${amount.rule} needs it`);
  }
  const optional = { signed: ['inverted'], columns: ['debitSign'], direction: [] }[amount.rule];
  for (const field of Object.keys(amount)) {
    if (field !== 'rule' && !wanted.includes(field) && !(optional as string[]).includes(field)) {
      throw new CsvMappingError(`amount.${field}`, `means nothing with the rule ${amount.rule}: leave it out`);
    }
  }
  const both = amount.creditWords?.find((word) => amount.debitWords?.includes(word));
  if (both !== undefined)
    throw new CsvMappingError('amount.debitWords', 'holds a word of creditWords: one word is one direction');
}

function mistakeOf(error: ErrorObject | undefined): CsvMappingError {
  if (error === undefined) return new CsvMappingError('', 'is not right');
  const { missingProperty, additionalProperty } = error.params as Record<string, string | undefined>;
  const names = [...error.instancePath.split('/').slice(1), missingProperty ?? additionalProperty ?? ''];
  const place = names
    .filter((name) => name !== '')
    .join('.')
    .slice(0, 200);
  const { description } = (error.parentSchema ?? {}) as { description?: string };
  switch (error.keyword) {
    case 'required':
      return new CsvMappingError(place, 'is missing: add it');
    case 'additionalProperties':
      return new CsvMappingError(place, 'is not known here: leave it out');
    case 'enum':
      return new CsvMappingError(place, `one of ${(error.schema as readonly unknown[]).join(', ')} is wanted`);
    default:
      return new CsvMappingError(place, description ?? error.message ?? 'is not right');
  }
}
