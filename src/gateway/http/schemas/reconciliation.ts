import { Type } from 'typebox';
import { currency, instant, provider, signedAmount } from './fields.ts';
import { literals } from './payment.ts';

const day = Type.String({
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  description: 'a day, such as 2026-11-27',
  examples: ['2026-11-27'],
});
export const reportQuery = Type.Object(
  { date: day, profile: Type.Optional(provider), format: Type.Optional(literals(['json', 'csv', 'html'])) },
  { additionalProperties: false },
);
const counted = Type.Object(
  { count: Type.Integer({ minimum: 0 }), amount: signedAmount },
  { additionalProperties: false },
);
const net = Type.Object(
  { count: Type.Integer({ minimum: 0 }), amount: signedAmount, net: signedAmount },
  { additionalProperties: false },
);
const maybe = Type.Optional(signedAmount);
export const dailyReport = Type.Object(
  {
    date: day,
    asOf: instant,
    accounts: Type.Array(
      Type.Object(
        {
          profile: Type.String(),
          account: Type.String({ description: 'a keyed hash of its number' }),
          last4: Type.Optional(Type.String({ description: 'the last characters of its number' })),
          currency,
          opening: maybe,
          closing: maybe,
          closingDay: Type.Optional(day),
          turnoverDifference: maybe,
          in: signedAmount,
          out: signedAmount,
          fees: signedAmount,
          matched: counted,
          known: counted,
          open: Type.Object({ '0-1': counted, '2-7': counted, '>7': counted }, { additionalProperties: false }),
        },
        { additionalProperties: false },
      ),
    ),
    positions: Type.Array(
      Type.Object(
        {
          profile: Type.String(),
          currency,
          opening: maybe,
          closing: maybe,
          float: signedAmount,
          receivable: signedAmount,
          payable: signedAmount,
          unbooked: net,
          later: net,
          unseen: net,
          awaited: Type.Object({ in: counted, out: counted }, { additionalProperties: false }),
          difference: maybe,
          explained: signedAmount,
          unexplained: maybe,
          receivableUnexplained: signedAmount,
          payableUnexplained: signedAmount,
          closingExpected: maybe,
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, title: 'ReconciliationReport' },
);
