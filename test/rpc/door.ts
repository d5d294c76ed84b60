import { authenticator } from '../../src/gateway/principal.ts';
import { createServiceKey, issueServiceToken, tokenVerifier } from '../../src/gateway/service-token.ts';
import { type RpcDoor, type RpcDoorOptions, startRpcDoor } from '../../src/gateway/rpc/rpc-door.ts';
import type { RpcRuntime } from '../../src/gateway/rpc/execute.ts';
import { payoutDetails } from '../../src/payments/payout-details.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { MemoryLog } from '../../eventstore/index.ts';

/** A door on a free port, before a runtime on a log in memory, and a token for it. */
export interface TestDoor {
  readonly door: RpcDoor;
  readonly url: string;
  readonly token: string;
  readonly key: ReturnType<typeof createServiceKey>;
  readonly log: MemoryLog;
  /** What the door told its log. */
  readonly faults: { details: object; message: string }[];
  close(): Promise<void>;
}

export async function openTestDoor(
  options: Partial<RpcDoorOptions> = {},
  log: MemoryLog = new MemoryLog(),
): Promise<TestDoor> {
  const key = createServiceKey();
  const faults: TestDoor['faults'] = [];
  const door = await startRpcDoor({
    runtime: rpcRuntime(new Runtime({ log })),
    authenticator: authenticator({ services: tokenVerifier(key) }),
    host: '127.0.0.1',
    port: 0,
    log: { error: (details, message) => faults.push({ details, message }) },
    ...options,
  });
  const token = await issueServiceToken({ key, service: 'shop', tenant: 'test', ttlSeconds: 600 });
  const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${door.port}`;
  return { door, url, token, key, log, faults, close: () => door.close().then(() => log.close()) };
}

/** A runtime as the door asks it. */
export function rpcRuntime(runtime: Runtime): RpcRuntime {
  return {
    execute: (request, caller) => runtime.execute(request, caller),
    payment: (id) => runtime.payment(id),
    account: (id) => runtime.account(id),
    payout: (id) => payoutDetails(runtime, id),
  };
}
