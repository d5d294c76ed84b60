import type { DeliveryView, EndpointView } from '../webhooks/index.ts';
import { timeText } from './money-text.ts';
import { fieldLines, tableLines } from './table.ts';

/** Webhooks, one below the other. */
export function endpointLines(all: readonly EndpointView[]): string[] {
  if (all.length === 0) return ['nobody is told anything'];
  return all.flatMap(({ id, owner, url, types, pending, dead, oldestPendingAt, previousSecretUntil }, index) => [
    ...(index === 0 ? [] : ['']),
    ...fieldLines([
      ['webhook', id],
      ['url', url],
      ['owner', owner],
      ['types', types.join(', ')],
      ['pending', pending.toLocaleString('en')],
      ['since', oldestPendingAt],
      ['dead', dead.toLocaleString('en')],
      ['both sign', previousSecretUntil && `until ${previousSecretUntil}`],
    ]),
  ]);
}

/** Deliveries as a table. */
export function deliveryLines(items: readonly DeliveryView[]): string[] {
  return tableLines(
    [
      { title: 'recorded (UTC)' },
      { title: 'event' },
      { title: 'type' },
      { title: 'subject' },
      { title: 'status' },
      { title: 'tries', align: 'right' },
      { title: 'last error' },
    ],
    items.map(({ recordedAt, eventId, type, subject, status, attempts, lastError = '' }) => [
      timeText(recordedAt),
      eventId,
      type,
      subject,
      status,
      String(attempts),
      lastError,
    ]),
  );
}
