import type { Logger } from '../platform/logging.ts';
import type { Export } from '../platform/tracing/told-exporter.ts';

/** Says once when traces cannot be sent, and once when they can again. Payments have nothing to do with it. */
export function exportTeller(logger: Logger): (sent: Export) => void {
  let failing = false;
  return ({ error, spans }) => {
    if (error === undefined) {
      if (failing) logger.info('traces are sent again');
      failing = false;
      return;
    }
    if (!failing) logger.warn({ err: error, spans }, 'traces cannot be sent: some are lost, nothing else is');
    failing = true;
  };
}
