import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  type Client,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  makeGenericClientConstructor,
  Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';
import { service as healthDefinition } from 'grpc-health-check';
import type { TestDoor } from './door.ts';

/** Clients of the gRPC project's own library, from its own copies of the standard contracts: nothing of ours is in them. */
const asJson = { longs: String, enums: String, defaults: true, oneofs: true };

const clientOf = ({ door }: TestDoor, Constructor: ServiceClientConstructor): Client =>
  // A connection of its own for each client.
  new Constructor(`127.0.0.1:${door.port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });

export function healthClient(test: TestDoor): Client {
  return clientOf(test, makeGenericClientConstructor(healthDefinition, 'Health'));
}

export function reflectionClient(test: TestDoor, version: 'v1' | 'v1alpha'): Client {
  const folder = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const file = join(folder, 'build', 'proto', 'grpc', 'reflection', version, 'reflection.proto');
  return named(test, loadPackageDefinition(loadSync(file, asJson)), `grpc.reflection.${version}.ServerReflection`);
}

/** A client that knows of us only what reflection has told. */
export function reflectedClient(test: TestDoor, fileDescriptorSet: Uint8Array, service: string): Client {
  const definition = loadFileDescriptorSetFromBuffer(Buffer.from(fileDescriptorSet), asJson);
  return named(test, loadPackageDefinition(definition), service);
}

function named(test: TestDoor, loaded: GrpcObject, service: string): Client {
  const found = service.split('.').reduce<unknown>((inside, name) => (inside as GrpcObject)[name], loaded);
  return clientOf(test, found as ServiceClientConstructor);
}

export function metadataOf(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

type Call = (request: object, metadata: Metadata, done: (error: Error | null, answer: unknown) => void) => void;

/** One call; rejects with the library's error, which has the status as `code`. */
export function called(client: Client, method: string, request: object, token?: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = ((client as unknown as Record<string, Call>)[method] as Call).bind(client);
    call(request, metadataOf(token), (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}
