import { Type } from 'typebox';
import { lineStatuses } from '../../../connectors/index.ts';
import { currency, instant, paymentId, next, pageQuery, reason, signedAmount } from './fields.ts';
import { literals } from './payment.ts';

const statementId = Type.String({
  pattern: '^[0-9a-f-]{36}$',
  description: 'id of a statement, as it was answered',
  examples: ['0b0c9a3e-6f5d-4d0e-9a39-3c9f1a0a7a10'],
});
const profile = Type.String({
  pattern: '^[A-Za-z0-9_.:-]{1,64}$',
  description: 'id of a bank profile',
  examples: ['bank:AB'],
});
const day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', examples: ['2026-11-27'] });
const status = literals(['received', 'parsed', 'quarantined', 'unreadable']);

export const statementParams = Type.Object({ id: statementId }, { additionalProperties: false });

export const uploadQuery = Type.Object(
  {
    profile,
    fileName: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'its name at the bank; it is kept sealed' }),
    ),
  },
  { additionalProperties: false },
);

export const balancesQuery = Type.Object({ profile, date: day }, { additionalProperties: false });
export const statementBalances = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          account: Type.String({ description: 'the hash of the account, as lines carry it' }),
          last4: Type.String({ maxLength: 4, description: 'the last four characters of the account' }),
          currency,
          opening: Type.Optional(signedAmount),
          closing: Type.Optional(signedAmount),
          closingDay: Type.Optional(day),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, title: 'StatementBalances' },
);

export const statementsQuery = Type.Object(
  { profile: Type.Optional(profile), status: Type.Optional(status), ...pageQuery },
  { additionalProperties: false },
);

const finding = Type.Object(
  {
    code: Type.String({ description: 'what is wrong: docs/statements.md' }),
    message: Type.String(),
    line: Type.Optional(Type.Integer({ minimum: 1 })),
    column: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

export const statement = Type.Object(
  {
    statementId,
    profile,
    status: Type.Unsafe<string>({
      ...status,
      description:
        'received: its lines are not all in yet; quarantined: it failed a check, and nothing matches on its lines until it ' +
        'is released; unreadable: no line of it could be taken',
    }),
    origin: literals(['upload', 'sftp', 'cli', 'connector']),
    bytes: Type.Integer({ minimum: 0 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    receivedAt: instant,
    importedAt: Type.Optional(instant),
    formats: Type.Optional(Type.Array(Type.String())),
    statements: Type.Optional(Type.Integer({ minimum: 0, description: 'how many statements are in the file' })),
    lines: Type.Optional(Type.Integer({ minimum: 0, description: 'how many lines are in it' })),
    balances: Type.Optional(
      Type.Array(
        Type.Object(
          {
            currency: Type.Optional(currency),
            sequence: Type.Optional(Type.String()),
            page: Type.Optional(Type.Integer()),
            opening: Type.Optional(signedAmount),
            closing: Type.Optional(signedAmount),
          },
          { additionalProperties: false },
        ),
        { description: 'of the first hundred' },
      ),
    ),
    problems: Type.Optional(Type.Array(finding, { description: 'the first hundred' })),
    problemsCount: Type.Optional(Type.Integer({ minimum: 0 })),
    statuses: Type.Optional(Type.Integer({ minimum: 0, description: 'of a pain.002: how many statuses it says' })),
    unreadable: Type.Optional(finding),
    release: Type.Optional(
      Type.Object({ at: instant, by: Type.String(), reason: Type.String() }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false, title: 'Statement' },
);

export const statementPage = Type.Object(
  { items: Type.Array(statement), next },
  { additionalProperties: false, title: 'StatementPage' },
);

const statementLine = Type.Object(
  {
    lineId: Type.String(),
    ordinal: Type.Integer({ minimum: 0, description: 'its place among the lines of the file' }),
    amount: signedAmount,
    currency,
    statementDate: day,
    valueDate: day,
    entryDate: Type.Optional(day),
    reversal: Type.Boolean(),
    transactionCode: Type.Optional(Type.String()),
    reconciliationStatus: Type.String({ description: 'unmatched, matched, quarantined' }),
    matchedPayoutId: Type.Optional(Type.String()),
    account: Type.String(),
    reference: Type.String(),
    bankReference: Type.String(),
    text: Type.String(),
  },
  { additionalProperties: false, title: 'StatementLine' },
);

export const statementLinePage = Type.Object(
  { items: Type.Array(statementLine), next },
  { additionalProperties: false, title: 'StatementLinePage' },
);

export const linesQuery = Type.Object(pageQuery, { additionalProperties: false });
export const releaseBody = Type.Object({ reason }, { additionalProperties: false, title: 'StatementRelease' });

export const lineMarks = Type.Object(
  {
    lines: Type.Array(
      Type.Object(
        {
          lineId: statementId,
          status: literals(lineStatuses),
          paymentId: Type.Optional(paymentId),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 1_000 },
    ),
  },
  { additionalProperties: false, title: 'LineMarks' },
);
