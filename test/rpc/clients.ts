import { type Client, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { AccountService } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PayoutService } from '../../src/gateway/rpc/gen/kora/v1/payout_pb.js';
import { PaymentService } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';

export interface RpcClients {
  readonly accounts: Client<typeof AccountService>;
  readonly payments: Client<typeof PaymentService>;
  readonly payouts: Client<typeof PayoutService>;
}

/** Every way in which a client may speak to the one port. */
export const protocols: Readonly<Record<string, (baseUrl: string, interceptors: Interceptor[]) => Transport>> = {
  'Connect JSON over HTTP/1.1': (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: '1.1', useBinaryFormat: false }),
  'Connect binary over HTTP/1.1': (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect binary over HTTP/2': (baseUrl, interceptors) =>
    createConnectTransport({ baseUrl, interceptors, httpVersion: '2', useBinaryFormat: true }),
  'gRPC over HTTP/2': (baseUrl, interceptors) => createGrpcTransport({ baseUrl, interceptors }),
  'gRPC-Web over HTTP/1.1': (baseUrl, interceptors) =>
    createGrpcWebTransport({ baseUrl, interceptors, httpVersion: '1.1' }),
};

export function clientsOf(
  baseUrl: string,
  token: string | undefined,
  protocol: keyof typeof protocols = 'Connect binary over HTTP/1.1',
): RpcClients {
  const withToken: Interceptor = (next) => (request) => {
    if (token !== undefined) request.header.set('authorization', `Bearer ${token}`);
    return next(request);
  };
  const transport = protocols[protocol]?.(baseUrl, [withToken]);
  if (transport === undefined) throw new Error(`no such protocol: ${protocol}`);
  return {
    accounts: createClient(AccountService, transport),
    payments: createClient(PaymentService, transport),
    payouts: createClient(PayoutService, transport),
  };
}
