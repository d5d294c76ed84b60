import { type Static, type TObject, Type } from 'typebox';

/**
 * What services of ours are told beside the events for others: docs/events.md, "The feed of reconciliation". Held to what
 * was released as those are.
 */
const day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', description: 'a day of ISO 8601' });
const hash = Type.String({ minLength: 1, description: 'keyed hash: to be compared, and not read' });
const signedAmount = Type.String({ pattern: '^(?:0|-?[1-9][0-9]*)$', description: 'minor units, credit +' });

const statementLine = Type.Object({
  lineId: Type.String({ description: 'id of the line' }),
  profile: Type.String({ description: 'bank profile' }),
  account: hash,
  amount: signedAmount,
  currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  valueDate: day,
  entryDate: Type.Optional(day),
  reversal: Type.Boolean({ description: 'it takes another one back' }),
  references: Type.Array(hash, { description: 'of references of its own' }),
  words: Type.Array(hash, { description: 'of words of the remittance text that may be references' }),
  counterparty: Type.Optional(hash),
  transactionCode: Type.Optional(Type.String({ description: "the bank's code of what kind of booking it is" })),
  parts: Type.Optional(
    Type.Array(Type.Object({ amount: signedAmount, references: Type.Array(hash) }), {
      description: 'of a batch booking whose parts are told',
    }),
  ),
});

export const statementLineKind = {
  type: 'statement.line',
  version: 1,
  summary: 'A line of a statement may be matched.',
  data: statementLine,
} as const satisfies {
  readonly type: string;
  readonly version: number;
  readonly summary: string;
  readonly data: TObject;
};

/** As it is signed. */
export interface StatementLineEvent {
  readonly id: string;
  readonly type: (typeof statementLineKind)['type'];
  readonly version: (typeof statementLineKind)['version'];
  readonly createdAt: string;
  readonly subject: string;
  readonly sequence: number;
  readonly tokens: readonly string[];
  readonly data: Static<typeof statementLine>;
}

/** Beside `data` in every event of a feed. */
export const tokens = Type.Array(Type.String(), {
  description:
    'keyed hashes of what a statement may say of it; `group:` before those of what it is booked together with',
});
