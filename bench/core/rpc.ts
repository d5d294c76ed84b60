import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import {
  type CommandSchema,
  PaymentKind,
  PaymentService,
  type PayRequestSchema,
  PaymentStatus,
  PayUpTo,
} from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { measure } from '../harness/measure.ts';
import { currency, openingBalance, type P2p, P2pSource } from '../load/p2p.ts';
import { checkLog } from './check-log.ts';
import { walletId, walletIds } from './kora.ts';
import type { Serve, Serving } from './rpc-server.ts';

interface Rpc {
  readonly transport: Transport;
  readonly serverPid: number;
  readonly close: () => Promise<void>;
}

/** Starts the product in a process of its own, and a client with a token here. */
export async function openRpc({ databaseUrl }: CaseContext): Promise<Rpc> {
  const key = createServiceKey();
  const serviceKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const server = fork(fileURLToPath(new URL('rpc-server.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = once(server, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`the server ended with ${String(code)}`);
  });
  server.send({ databaseUrl, serviceKey } satisfies Serve);
  const [serving] = (await Promise.race([once(server, 'message'), ended])) as [Serving];
  const token = await issueServiceToken({ key, service: 'bench', tenant: 'bench', ttlSeconds: 3_600 });
  const transport = createConnectTransport({
    baseUrl: `http://127.0.0.1:${serving.rpcPort}`,
    httpVersion: '2',
    useBinaryFormat: true,
    interceptors: [
      (next) => (request) => {
        request.header.set('authorization', `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return {
    transport,
    serverPid: server.pid ?? 0,
    close: async () => {
      server.send('end');
      await ended;
    },
  };
}

/** Opens the wallets of the measurement and pays in what they start with, through the door. */
async function openWallets(transport: Transport): Promise<void> {
  const payments = createClient(PaymentService, transport);
  const { results: opened } = await payments.batch({
    commands: walletIds.map((accountId) => ({
      command: {
        case: 'openAccount',
        value: { idempotencyKey: `open ${accountId}`, accountId, walletType: WalletType.CUSTOMER, currency },
      },
    })),
  });
  const { results: funded } = await payments.batch({
    commands: walletIds.map((payee) => ({
      command: {
        case: 'pay',
        value: {
          idempotencyKey: `fund ${payee}`,
          kind: PaymentKind.CASH_IN,
          amount: openingBalance.toString(),
          currency,
          payee,
          provider: 'cash',
          upTo: PayUpTo.SETTLED,
        },
      },
    })),
  });
  for (const { result } of [...opened, ...funded])
    mustHold(result.case === 'done', `preparing: ${String(result.case)}`);
}

type PayInit = MessageInitShape<typeof PayRequestSchema>;
function payInit({ payer, payee, amount, key }: P2p): PayInit {
  return {
    idempotencyKey: key,
    kind: PaymentKind.P2P,
    amount: String(amount),
    currency,
    payer: walletId(payer),
    payee: walletId(payee),
    upTo: PayUpTo.SETTLED,
  };
}

type Payments = Client<typeof PaymentService>;

export async function sendBatch(payments: Payments, source: P2pSource, size: number): Promise<void> {
  const commands: MessageInitShape<typeof CommandSchema>[] = [];
  for (let index = 0; index < size; index++) {
    const p2p = source.next();
    commands.push({ command: { case: 'pay', value: payInit(p2p) }, correlationId: p2p.key });
  }
  const { results } = await payments.batch({ commands });
  mustHold(results.length === size, `${size} commands, ${results.length} answers`);
  for (const { result } of results) {
    mustHold(result.case === 'done' && !result.value.duplicate, `a payment ended as ${String(result.case)}`);
  }
}

export async function sendSingle(payments: Payments, source: P2pSource): Promise<void> {
  const { payment, duplicate } = await payments.pay(payInit(source.next()));
  mustHold(payment?.status === PaymentStatus.SETTLED && !duplicate, 'a payment did not settle');
}

/** @param perCall payments in one call */
export async function measureRpc(
  context: CaseContext,
  name: string,
  { perCall, callsInFlight }: { readonly perCall: number; readonly callsInFlight: number },
): Promise<Measured> {
  const rpc = await openRpc(context);
  await openWallets(rpc.transport);
  await context.checkpoint();
  const payments = createClient(PaymentService, rpc.transport);
  const source = new P2pSource();
  const send = perCall === 1 ? () => sendSingle(payments, source) : () => sendBatch(payments, source, perCall);
  const result = await measure(context, { inFlight: callsInFlight, send, serverPid: rpc.serverPid, weight: perCall });
  await rpc.close();
  await checkLog(context, result.answered * perCall);
  return {
    figures: [{ name, value: result.perSecond * perCall, unit: 'payments/s' }],
    notes: result.notes,
  };
}
