import type { CaseContext, Measured } from '../harness/case.ts';
import { koraDialect } from './dialects.ts';
import { measureFanOut } from './fan-out.ts';

/** `doors.fanout`: deliveries of the stream door. */
export function run(context: CaseContext): Promise<Measured> {
  const program = new URL('fan-out-kora.ts', import.meta.url);
  return measureFanOut(context, 'doors.fanout', { program, dialect: koraDialect });
}
