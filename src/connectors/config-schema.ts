import { Type, type Static } from 'typebox';
import type { ConnectorType } from './bank-connector.ts';
import { choice, integer, text } from './schema-words.ts';
import { statementSettings } from './statements/settings.ts';

/**
 * How the document of connectors looks. A description is what somebody reads who wrote something else, so it says what is
 * wanted; defaults are filled in from here.
 */

/** As the payment machine takes a provider: both name the accounts `float:<provider>:<currency>`. */
const PROVIDER = '^(?:(?!bank:)[a-z0-9][a-z0-9_.:-]{0,63}|bank:[A-Za-z0-9_.:-]{1,59})$';

const closed = { additionalProperties: false };

const amount = Type.String({
  pattern: '^(?:0|[1-9][0-9]{0,29})$',
  description: 'minor units as text are wanted, such as "150000"',
});
const name = Type.String({
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  description: '1 to 64 of A-Z a-z 0-9 _ . and - are wanted',
});
const rail = Type.String({ pattern: '^[a-z0-9_-]{1,32}$', description: 'a rail is wanted, such as momo or sepa' });

const calendar = Type.Object(
  {
    timeZone: Type.String({ format: 'time-zone', description: 'a time zone is wanted, such as Africa/Abidjan' }),
    /** Payments of a day count for it until then. */
    cutOff: Type.String({
      pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
      description: 'an hour is wanted, such as 16:30',
    }),
    /** Its public holidays are none of the bank's days. */
    country: Type.Optional(
      Type.String({ pattern: '^[A-Z]{2}$', description: 'a country of ISO 3166 is wanted, such as CI' }),
    ),
    holidays: Type.Optional(
      Type.Array(Type.String({ format: 'day', description: 'a day is wanted, such as 2025-08-07' })),
    ),
  },
  closed,
);

const bankProfile = Type.Object(
  {
    id: Type.String({
      pattern: PROVIDER,
      description: "a provider's name is wanted, such as mtn-momo, or bank:AB for a bank",
    }),
    bank_name: text('the name of the bank is wanted'),
    swift_bic: Type.Optional(
      Type.String({
        pattern: '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$',
        description: 'a BIC of ISO 9362 is wanted, such as ECOCCIAB',
      }),
    ),
    supported_rails: Type.Array(rail, { uniqueItems: true, description: 'a list of rails is wanted' }),
    calendar: Type.Optional(calendar),
    statements: Type.Optional(statementSettings),
    rails: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ amountMin: Type.Optional(amount), amountMax: Type.Optional(amount) }, closed),
      ),
    ),
  },
  closed,
);

const HOUR_MS = 3_600_000;

const limits = Type.Object(
  {
    requestTimeoutMs: integer(1, 10 * 60_000, 30_000),
    sendWithinMs: integer(1, 24 * HOUR_MS, 30_000),
    clockSkewMs: integer(0, HOUR_MS, 1_000),
    notFoundFinalAfterMs: integer(0, 7 * 24 * HOUR_MS, 300_000),
    concurrencyMax: integer(1, 10_000, 64),
    waitingMax: integer(0, 100_000, 256),
    amountMin: Type.Optional(amount),
    amountMax: Type.Optional(amount),
  },
  { ...closed, default: {} },
);

const breaker = Type.Object(
  {
    failuresMax: integer(1, 1_000, 5),
    openMs: integer(1, 24 * HOUR_MS, 30_000),
    successesMin: integer(1, 1_000, 2),
  },
  { ...closed, default: {} },
);

const capability = Type.Optional(Type.Boolean({ description: 'true or false is wanted' }));

const connector = Type.Object(
  {
    id: name,
    type: choice<ConnectorType>(['rest', 'mt940', 'iso20022', 'local', 'csv']),
    profile: Type.String({ description: 'the id of a profile is wanted' }),
    priority: integer(0, 1_000_000, 100),
    rails: Type.Array(rail, { uniqueItems: true, default: [], description: 'a list of rails is wanted' }),
    currencies: Type.Array(
      Type.String({ format: 'iso-4217', description: 'a currency of ISO 4217 is wanted, such as XOF' }),
      { uniqueItems: true, default: [], description: 'a list of currencies is wanted' },
    ),
    capabilities: Type.Object(
      { collects: capability, disburses: capability, honoursKeys: capability, findsByKey: capability },
      { ...closed, default: {} },
    ),
    limits,
    breaker,
    settings: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
  },
  closed,
);

export const connectorsDocument = Type.Object(
  {
    profiles: Type.Array(bankProfile, { description: 'a list of bank profiles is wanted' }),
    connectors: Type.Array(connector, { description: 'a list of connectors is wanted' }),
  },
  closed,
);

export type BankProfile = Static<typeof bankProfile>;
/** When the bank works. */
export type BankCalendar = Static<typeof calendar>;
