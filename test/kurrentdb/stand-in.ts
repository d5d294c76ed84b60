import * as grpc from '@grpc/grpc-js';
import features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import { ServerFeaturesService } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import { StreamsService } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import errors from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/errors_pb.js';
import { StreamsServiceService } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_grpc_pb.js';
import appends from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_pb.js';
import { answerRead } from './stand-in-reads.ts';
import { type ProposedAppend, StandInStore } from './stand-in-store.ts';

/**
 * How the next append goes wrong:
 * - `refused`: it is not taken, and the connection is said to be down;
 * - `silent`: it is taken, but the answer is lost;
 * - `late`: the answer is lost at once, and it is taken only when the next append arrives, just before that one.
 */
export type Fault = 'refused' | 'silent' | 'late';

type AppendCall = grpc.ServerReadableStream<appends.AppendRequest, appends.AppendSessionResponse>;

/**
 * A server that stands in for KurrentDB where none can be had. It speaks the vendor's protocol, from the service
 * definitions of the vendor's client, over a real socket, and implements the calls that this client makes for us; the
 * rest it refuses as unimplemented. It proves that the adapter uses the client rightly; it does not prove how a real
 * server behaves where this one only repeats what its documentation and source say.
 */
export class StandIn {
  readonly store: StandInStore;
  readonly faults: Fault[] = [];
  /** Appends that were asked for, however they went. */
  appendsAsked = 0;
  readonly #server: grpc.Server;
  readonly #late: ProposedAppend[][] = [];
  #port: number;

  private constructor(port: number, store: StandInStore) {
    this.#port = port;
    this.store = store;
    this.#server = new grpc.Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
    this.#server.addService(ServerFeaturesService, {
      getSupportedMethods: (_: unknown, answer: grpc.sendUnaryData<features.SupportedMethods>) =>
        answer(null, supported()),
    });
    this.#server.addService(StreamsService, {
      read: (call: Parameters<typeof answerRead>[1]) => {
        try {
          answerRead(this.store, call);
        } catch (error) {
          call.emit('error', { code: grpc.status.UNKNOWN, details: String(error) });
        }
      },
    });
    this.#server.addService(StreamsServiceService, {
      appendSession: (call: AppendCall, answer: grpc.sendUnaryData<appends.AppendSessionResponse>) => {
        const requests: appends.AppendRequest[] = [];
        call.on('data', (request: appends.AppendRequest) => requests.push(request));
        call.on('end', () => this.#append(requests.map(proposed), answer));
      },
    });
  }

  /** Another one on the port and the store of one that was stopped is that server, started again. */
  static async start(before?: StandIn): Promise<StandIn> {
    const standIn = before === undefined ? new StandIn(0, new StandInStore()) : new StandIn(before.#port, before.store);
    await standIn.#bind();
    return standIn;
  }

  get url(): string {
    return `kurrentdb://127.0.0.1:${this.#port}?tls=false`;
  }

  #bind(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${this.#port}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
        this.#port = port;
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** Ends everything under way with a broken connection. The store is left, for a stand-in that is started on it. */
  stop(): void {
    this.#server.forceShutdown();
  }

  #append(requested: ProposedAppend[], answer: grpc.sendUnaryData<appends.AppendSessionResponse>): void {
    this.appendsAsked += 1;
    const fault = this.faults.shift();
    for (const late of this.#late.splice(0)) this.store.append(late);
    if (fault === 'late') this.#late.push(requested);
    if (fault === 'silent') this.store.append(requested);
    if (fault !== undefined) {
      answer({ code: grpc.status.UNAVAILABLE, details: `fault: ${fault}` });
      return;
    }
    const result = this.store.append(requested);
    if (result.outcome === 'conflict') {
      answer(conflict(result.stream, result.expected, result.actual));
      return;
    }
    const response = new appends.AppendSessionResponse().setPosition(String(result.position));
    for (const [stream, revision] of result.revisions) {
      response.addOutput(new appends.AppendResponse().setStream(stream).setStreamRevision(String(revision)));
    }
    answer(null, response);
  }
}

function supported(): features.SupportedMethods {
  const methods = new features.SupportedMethods().setEventStoreServerVersion('25.1.0');
  for (const [service, method] of [
    ['event_store.client.streams.streams', 'read'],
    ['kurrentdb.protocol.v2.streams.streamsservice', 'appendsession'],
  ] as const) {
    const one = new features.SupportedMethod().setServiceName(service).setMethodName(method);
    one.setFeaturesList(service.startsWith('event_store') ? ['position', 'events'] : []);
    methods.addMethods(one);
  }
  return methods;
}

function proposed(request: appends.AppendRequest): ProposedAppend {
  return {
    stream: request.getStream(),
    expected: BigInt(request.getExpectedRevision() ?? '-2'),
    records: request.getRecordsList().map((record) => ({
      id: record.getRecordId() ?? '',
      type: record.getSchema()?.getName() ?? '',
      contentType: 'application/json',
      data: record.getData_asU8(),
      metadata: Buffer.from(
        JSON.stringify(
          Object.fromEntries(
            [...record.getPropertiesMap().entries()].map(([key, value]) => [key, value.getStringValue()]),
          ),
        ),
      ),
    })),
  };
}

/** FAILED_PRECONDITION with `google.rpc.Status` in its details, as the second version of the protocol says conflicts. */
function conflict(stream: string, expected: bigint, actual: number): Partial<grpc.StatusObject> {
  const said = new errors.StreamRevisionConflictErrorDetails();
  said.setStream(stream).setExpectedRevision(String(expected)).setActualRevision(String(actual));
  const type = 'type.googleapis.com/kurrentdb.protocol.v2.streams.errors.StreamRevisionConflictErrorDetails';
  const any = Buffer.concat([field(1, Buffer.from(type)), field(2, Buffer.from(said.serializeBinary()))]);
  const code = Buffer.from([1 << 3, grpc.status.FAILED_PRECONDITION]);
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', Buffer.concat([code, field(2, Buffer.from('conflict')), field(3, any)]));
  return { code: grpc.status.FAILED_PRECONDITION, details: 'conflict', metadata };
}

/** A protobuf field of bytes, up to 16 KiB. */
function field(number: number, bytes: Buffer): Buffer {
  const { length } = bytes;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), bytes]);
}
