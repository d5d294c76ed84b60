import type { Runtime } from './actors/runtime.ts';
import { Membership } from './cluster/membership.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import type { Tracing } from './platform/tracing/span.ts';
import type { Stages } from './platform/stages.ts';
import type { OpenedStore } from './store.ts';

interface Ground {
  readonly config: KoraConfig;
  readonly logger: Logger;
  readonly stages: Stages;
  readonly store: OpenedStore;
  readonly memberId: string;
  readonly tracing?: Tracing | undefined;
}

export interface Peers {
  /** What the modules hand commands to: carried out here, or by the process that is preferred for it. */
  readonly runtime: Pick<Runtime, 'execute' | 'isApplied' | 'payment' | 'account' | 'payout' | 'paymentState'>;
  /** Lets the others know of this process. To be called when its doors are open: it is left again before they close. */
  join(): void;
}

/** Opens the door for other processes, where KORA_ADVERTISE says how they reach this one. */
export async function openPeers(ground: Ground, runtime: Runtime): Promise<Peers> {
  const { config, logger, stages, store, memberId, tracing } = ground;
  if (config.advertise === undefined) return { runtime, join: () => undefined };
  const [{ startPeerDoor }, { Forwarder }, { acceptedServiceKeysOf, serviceKeyOf }, { rpcTlsOf }] = await Promise.all([
    import('./gateway/peer/peer-door.ts'),
    import('./gateway/peer/forwarder.ts'),
    import('./service-key.ts'),
    import('./rpc-tls.ts'),
  ]);
  const tls = await rpcTlsOf(config);
  const [, name = '', port = ''] = /^(.+):([0-9]+)$/.exec(config.advertise) ?? [];
  const door = await startPeerDoor({
    runtime,
    host: config.host,
    port: Number(port),
    keys: await acceptedServiceKeysOf(config),
    ...(tls && { tls }),
    ...(tracing && { tracing }),
    log: logger,
  });
  stages.add('the door for other processes is closed', () => door.close());
  let membership: Membership | undefined;
  const forwarder = new Forwarder({
    runtime,
    placement: {
      ownerOf: (key) => membership?.ownerOf(key),
      suspect: (id) => membership?.suspect(id),
    },
    memberId,
    key: await serviceKeyOf(config),
    ...(tls && { tls }),
    ...(tracing && { tracing }),
    log: logger,
  });
  stages.add('nothing is forwarded any more', () => {
    forwarder.close();
    return Promise.resolve();
  });
  return {
    runtime: {
      execute: (request, caller) => forwarder.execute(request, caller),
      isApplied: (request, caller) => runtime.isApplied(request, caller),
      payment: (id) => runtime.payment(id),
      account: (id) => runtime.account(id),
      payout: (id) => runtime.payout(id),
      paymentState: (id) => runtime.paymentState(id),
    },
    join: () => {
      const joined = Membership.join({
        pool: store.poolOf('cluster'),
        id: memberId,
        address: `${name}:${door.port}`,
        onChange: (members) => logger.info({ members }, 'processes that share the work'),
        onError: (error) => logger.warn({ err: error }, 'other processes are not heard of'),
      });
      membership = joined;
      stages.add('the other processes are left', () => joined.leave());
    },
  };
}
