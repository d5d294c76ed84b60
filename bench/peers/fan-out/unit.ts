import { randomUUID } from 'node:crypto';
import { topic } from '../../doors/fan-out-server.ts';

/** What the stream door tells of a payment on the account of its payer, field by field: the peers tell the same. */
export function nextUnit(): () => object {
  let position = 22_000;
  let version = 2;
  return () => {
    position += 7;
    version += 1;
    return {
      topic,
      position,
      at: new Date().toISOString(),
      correlationId: randomUUID(),
      events: [
        {
          position,
          version,
          accountId: 'customer-0000',
          type: 'EntryPosted',
          status: 'OPEN',
          data: {
            type: 'EntryPosted',
            paymentId: randomUUID(),
            step: 'CAPTURED',
            amount: '-1',
            currency: 'XOF',
            after: { type: 'customer', currency: 'XOF', status: 'OPEN', posted: '999999999999', held: '0', limit: '0' },
          },
        },
      ],
    };
  };
}
