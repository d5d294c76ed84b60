import type { CaseContext, Measured } from '../harness/case.ts';
import { measureHttp } from './http.ts';

/** `doors.http`: 1,000 payments a second are offered. */
export function run(context: CaseContext): Promise<Measured> {
  return measureHttp(context, 'doors.http', 1_000);
}
