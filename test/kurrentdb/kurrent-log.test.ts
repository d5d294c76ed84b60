import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { KurrentLog } from '../../eventstore/kurrentdb/kurrent-log.ts';
import { eventLogContract } from '../../eventstore/testing/contract.ts';
import { StandIn } from './stand-in.ts';

/** Proves that the log on KurrentDB keeps the contract: on a real server where KURRENTDB_URL names one, else on the stand-in. */

let standIn: StandIn | undefined;
let url = process.env['KURRENTDB_URL'];
/** Connections take longer to make than a test does: the nth log of each test has the nth of them. */
const clients: KurrentDBClient[] = [];

beforeAll(async () => {
  if (url !== undefined) return;
  standIn = await StandIn.start();
  url = standIn.url;
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.dispose()));
  standIn?.stop();
});

eventLogContract(
  'the log on KurrentDB',
  {
    capabilities: { densePositions: false, hashChain: false, speculation: false, atomicAbsence: false },
    randomRuns: 20,
  },
  () => {
    const namespace = `test-${randomUUID()}`;
    const logs: KurrentLog[] = [];
    return Promise.resolve({
      open(limits) {
        const client = (clients[logs.length] ??= KurrentDBClient.connectionString(url ?? ''));
        const log = new KurrentLog(client, { namespace, ...limits });
        logs.push(log);
        return log;
      },
      async dispose() {
        await Promise.all(logs.map((log) => log.close()));
      },
    });
  },
);
