import { fromBinary, create, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type Client, type ClientDuplexStream, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueServiceToken } from '../../src/gateway/service-token.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { called, metadataOf, reflectedClient, reflectionClient } from './grpc-clients.ts';

// Tools learn the contract from the running door, and can call it with nothing else; whoever has no token learns nothing.

interface Answer {
  readonly validHost: string;
  readonly messageResponse: string;
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: Uint8Array[] };
  readonly listServicesResponse?: { readonly service: { readonly name: string }[] };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
  readonly allExtensionNumbersResponse?: { readonly baseTypeName: string; readonly extensionNumber: number[] };
}

let test: TestDoor;
const clients: Client[] = [];
beforeAll(async () => {
  test = await openTestDoor();
});
afterAll(async () => {
  for (const client of clients) client.close();
  await test.close();
  expect(test.faults).toEqual([]);
});

/** Asks all questions on one stream. */
async function ask(version: 'v1' | 'v1alpha', questions: readonly object[], token?: string): Promise<Answer[]> {
  const client = reflectionClient(test, version);
  clients.push(client);
  type Info = (metadata: object) => ClientDuplexStream<object, Answer>;
  const stream = (client as unknown as { serverReflectionInfo: Info }).serverReflectionInfo(metadataOf(token));
  for (const question of questions) stream.write(question);
  stream.end();
  const answers: Answer[] = [];
  for await (const answer of stream) answers.push(answer as Answer);
  return answers;
}

describe.each(['v1', 'v1alpha'] as const)('reflection %s', (version) => {
  it('lists what is served', async () => {
    const [answer] = await ask(version, [{ host: 'here', listServices: '*' }], test.token);
    expect(answer?.validHost).toBe('here');
    expect(answer?.listServicesResponse?.service.map(({ name }) => name).sort()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'kora.v1.AccountService',
      'kora.v1.PaymentService',
      'kora.v1.PayoutService',
    ]);
  });

  it('gives the file of a symbol with what it imports: enough to call', async () => {
    const [answer] = await ask(version, [{ fileContainingSymbol: 'kora.v1.PaymentService' }], test.token);
    const file = (answer?.fileDescriptorResponse?.fileDescriptorProto ?? []).map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    expect(file.map(({ name }) => name)).toEqual([
      'kora/v1/payment.proto',
      'kora/v1/account.proto',
      'kora/v1/payout.proto',
      'kora/v1/refusal.proto',
    ]);
    const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: file.reverse() }));
    const accounts = reflectedClient(test, set, 'kora.v1.AccountService');
    clients.push(accounts);
    // Descriptors have the names of the .proto.
    const wallet = { wallet_type: 'WALLET_TYPE_CUSTOMER', currency: 'XOF' };
    const open = { idempotency_key: version, account_id: version, ...wallet };
    expect(await called(accounts, 'openAccount', open, test.token)).toMatchObject({
      account: { account_id: version, status: 'ACCOUNT_STATUS_OPEN', posted: '0' },
    });
    await expect(called(accounts, 'getAccount', { account_id: 'nobody' }, test.token)).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('answers every kind of question in its order, also what is nothing', async () => {
    const questions = [
      { fileByFilename: 'kora/v1/refusal.proto' },
      ...['kora.v1.PaymentService.Pay', 'kora.v1.Refusal.Invalid', 'kora.v1.PaymentKind'].map((name) => ({
        fileContainingSymbol: name,
      })),
      { fileContainingSymbol: 'grpc.health.v1.HealthCheckResponse.ServingStatus' },
      { fileByFilename: '../secrets' },
      { fileContainingSymbol: 'kora.v1.Nothing' },
      { fileContainingExtension: { containingType: 'kora.v1.Payment', extensionNumber: 1 } },
      { allExtensionNumbersOfType: 'kora.v1.Payment' },
      { allExtensionNumbersOfType: 'kora.v1.Nothing' },
      {},
    ];
    const answers = await ask(version, questions, test.token);
    expect(
      answers.map(({ messageResponse, fileDescriptorResponse, errorResponse }) => {
        const [first] = fileDescriptorResponse?.fileDescriptorProto ?? [];
        if (first !== undefined) return fromBinary(FileDescriptorProtoSchema, first).name;
        return errorResponse?.errorCode ?? messageResponse;
      }),
    ).toEqual([
      'kora/v1/refusal.proto',
      'kora/v1/payment.proto',
      'kora/v1/refusal.proto',
      'kora/v1/payment.proto',
      'grpc/health/v1/health.proto',
      status.NOT_FOUND,
      status.NOT_FOUND,
      status.NOT_FOUND,
      'allExtensionNumbersResponse',
      status.NOT_FOUND,
      status.INVALID_ARGUMENT,
    ]);
  });

  it('is for services, with a token of any scope', async () => {
    const { key } = test;
    const scoped = await issueServiceToken({ key, service: 'a', tenant: 't', ttlSeconds: 60, scopes: ['stream:read'] });
    expect(await ask(version, [{ listServices: '' }], scoped)).toHaveLength(1);
    await expect(ask(version, [{ listServices: '' }])).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(ask(version, [{ listServices: '' }], 'x')).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });
});
