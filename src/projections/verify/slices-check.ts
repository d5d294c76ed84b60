import type { RecordedUnit } from '../../../eventstore/index.ts';
import { categoryOf, idOf, paymentStream } from '../../machines/streams.ts';
import { paymentEvents, payoutEvents } from '../facts.ts';
import type { Finding } from './finding.ts';

/** A payout that was made is in one unit with the payments that it says it was cut into; one that was refused made none. */
export function checkSlices(unit: RecordedUnit, found: (finding: Finding) => void): void {
  for (const row of unit.rows) {
    if (categoryOf(row.stream) !== 'payout' || row.version !== 1) continue;
    const id = idOf(row.stream);
    const events = payoutEvents(row);
    const [created] = events;
    // What begins otherwise, its machine has refused already.
    if (created?.type !== 'PayoutCreated') continue;
    const isRefused = events.some(({ type }) => type === 'PayoutFailed');
    for (const { paymentId, amount } of created.data.slices) {
      const slice = unit.rows.find(({ stream, version }) => stream === paymentStream(paymentId) && version === 1);
      const made = slice && paymentEvents(slice)[0];
      const fits =
        made?.type === 'PaymentInitiated' && made.data.payout === id && BigInt(made.data.amount) === BigInt(amount);
      if (isRefused ? slice === undefined : fits) continue;
      const message = isRefused
        ? `payout ${id} was refused, and its slice ${paymentId} was made`
        : `the slice ${paymentId} of payout ${id} was not made with it, of ${amount}`;
      found({ check: 'slices', position: row.position, message });
    }
  }
}
