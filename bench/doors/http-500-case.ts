import type { CaseContext, Measured } from '../harness/case.ts';
import { measureHttp } from './http.ts';

/** `doors.http500`: 500 payments a second are offered, for machines of which one core cannot carry more, client and all. */
export function run(context: CaseContext): Promise<Measured> {
  return measureHttp(context, 'doors.http500', 500);
}
