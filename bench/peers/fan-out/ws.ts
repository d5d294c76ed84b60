import { wsDialect } from '../../doors/dialects.ts';
import { measureFanOut } from '../../doors/fan-out.ts';
import type { CaseContext, Measured } from '../../harness/case.ts';

/** `peer.ws`: the same deliveries by `ws`, with next to nothing around it. */
export function run(context: CaseContext): Promise<Measured> {
  const program = new URL('ws-server.ts', import.meta.url);
  return measureFanOut(context, 'peer.ws', { program, dialect: wsDialect });
}
