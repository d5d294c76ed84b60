import { socketIoDialect } from '../../doors/dialects.ts';
import { measureFanOut } from '../../doors/fan-out.ts';
import type { CaseContext, Measured } from '../../harness/case.ts';

/** `peer.socketio`: the same deliveries by socket.io. */
export function run(context: CaseContext): Promise<Measured> {
  const program = new URL('socketio-server.ts', import.meta.url);
  return measureFanOut(context, 'peer.socketio', { program, dialect: socketIoDialect });
}
