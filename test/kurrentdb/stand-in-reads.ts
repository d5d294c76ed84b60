import { type ServerWritableStream, status } from '@grpc/grpc-js';
import shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import streams from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { StandInRecord, StandInStore } from './stand-in-store.ts';

type Call = ServerWritableStream<streams.ReadReq, streams.ReadResp>;
type Options = streams.ReadReq.Options;

/** `Streams.Read`, which is reads of a stream and of `$all` in both directions, and subscriptions. */
export function answerRead(store: StandInStore, call: Call): void {
  const options = call.request.getOptions();
  if (options === undefined) throw new Error('a read without options');
  const wanted = filterOf(options);
  if (options.hasSubscription()) {
    follow(store, call, options, wanted);
    return;
  }
  const name = options.getStream()?.getStreamIdentifier()?.getStreamName_asU8();
  const records = name === undefined ? ofAll(store, options, wanted) : ofStream(store, options, text(name));
  if (records === undefined) {
    const missing = new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifier(text(name as Uint8Array)));
    call.write(new streams.ReadResp().setStreamNotFound(missing));
    call.end();
    return;
  }
  pump(call, records, options).then(
    () => call.end(),
    (error: unknown) => call.emit('error', { code: status.UNKNOWN, details: String(error) }),
  );
}

/** Writes no faster than the reader takes. Ends early when the call does. */
async function pump(call: Call, records: Iterable<StandInRecord>, options: Options): Promise<void> {
  let left = BigInt(options.hasCount() ? options.getCount() : '-1');
  for (const record of records) {
    if (call.cancelled || left-- === 0n) return;
    await write(call, new streams.ReadResp().setEvent(readEvent(record, options)));
  }
}

function write(call: Call, response: streams.ReadResp): Promise<void> {
  if (call.write(response)) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      call.off('drain', go).off('cancelled', go);
      resolve();
    };
    call.once('drain', go).once('cancelled', go);
  });
}

function ofStream(store: StandInStore, options: Options, name: string): Iterable<StandInRecord> | undefined {
  const records = store.streams.get(name);
  if (records === undefined) return undefined;
  const place = options.getStream();
  const revision = Number(place?.getRevision() ?? 0);
  if (options.getReadDirection() === backwardsDirection) {
    return records.slice(0, place?.hasEnd() ? undefined : revision + 1).reverse();
  }
  return records.slice(place?.hasRevision() ? revision : 0);
}

/** Forwards the record at the position comes first; backwards the one before it, as the real server does it. */
function* ofAll(
  store: StandInStore,
  options: Options,
  wanted: (record: StandInRecord) => boolean,
): Generator<StandInRecord> {
  const place = options.getAll();
  const position = place?.hasPosition() ? Number(place.getPosition()?.getCommitPosition()) : undefined;
  const { records } = store;
  if (options.getReadDirection() === backwardsDirection) {
    for (let index = (position === undefined ? records.length : recordAt(store, position)) - 1; index >= 0; index--) {
      if (wanted(records[index] as StandInRecord)) yield records[index] as StandInRecord;
    }
    return;
  }
  const end = records.length;
  for (let index = position === undefined ? 0 : recordAt(store, position); index < end; index++) {
    if (wanted(records[index] as StandInRecord)) yield records[index] as StandInRecord;
  }
}

/** A real server reads its log at that byte, and what it finds there is no record. */
export class NoRecordThereError extends Error {
  override readonly name = 'NoRecordThereError';
}

function recordAt(store: StandInStore, position: number): number {
  const index = store.indexAt(position);
  const record = store.records[index];
  if (record !== undefined && record.position !== position) throw new NoRecordThereError(`no record at ${position}`);
  return index;
}

/** All after the position, `caughtUp` once, and then everything that comes. */
function follow(store: StandInStore, call: Call, options: Options, wanted: (record: StandInRecord) => boolean): void {
  const place = options.getAll();
  if (place === undefined) throw new Error('the stand-in follows only $all');
  const position = place.hasPosition() ? Number(place.getPosition()?.getCommitPosition()) : undefined;
  let index = place.hasEnd() ? store.records.length : position === undefined ? 0 : recordAt(store, position) + 1;
  let state: 'idle' | 'writing' | 'ended' = 'idle';
  let caughtUp = false;
  const go = async (): Promise<void> => {
    if (state !== 'idle') return;
    state = 'writing';
    for (; index < store.records.length && !call.cancelled; index++) {
      const record = store.records[index] as StandInRecord;
      if (wanted(record)) await write(call, new streams.ReadResp().setEvent(readEvent(record, options)));
    }
    if (!caughtUp) call.write(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()));
    caughtUp = true;
    state = 'idle';
  };
  const told = (): void => void go();
  store.watchers.add(told);
  const end = (): void => void store.watchers.delete(told);
  call.on('cancelled', end).on('close', end).on('error', end);
  const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId('stand-in');
  call.write(new streams.ReadResp().setConfirmation(confirmation));
  told();
}

const backwardsDirection = streams.ReadReq.Options.ReadDirection.BACKWARDS;

function filterOf(options: Options): (record: StandInRecord) => boolean {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const byStream = filter.getStreamIdentifier();
  const expression = byStream ?? filter.getEventType();
  const prefixes = expression?.getPrefixList() ?? [];
  const regex = expression?.getRegex() ? new RegExp(expression.getRegex(), 'u') : undefined;
  return (record) => {
    const said = byStream === undefined ? record.type : record.stream;
    return regex?.test(said) ?? prefixes.some((prefix) => said.startsWith(prefix));
  };
}

function readEvent(record: StandInRecord, options: Options): streams.ReadResp.ReadEvent {
  const position = String(record.position);
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(uuid(record.id, options))
    .setStreamIdentifier(identifier(record.stream))
    .setStreamRevision(String(record.revision))
    .setPreparePosition(position)
    .setCommitPosition(position)
    .setData(record.data)
    .setCustomMetadata(record.metadata);
  recorded
    .getMetadataMap()
    .set('type', record.type)
    .set('created', String(record.createdTicks))
    .set('content-type', record.contentType);
  return new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(position);
}

function uuid(id: string, options: Options): shared.UUID {
  if (!options.getUuidOption()?.hasStructured()) return new shared.UUID().setString(id);
  const hex = id.replaceAll('-', '');
  const half = (from: number): string => String(BigInt.asIntN(64, BigInt(`0x${hex.slice(from, from + 16)}`)));
  const structured = new shared.UUID.Structured().setMostSignificantBits(half(0)).setLeastSignificantBits(half(16));
  return new shared.UUID().setStructured(structured);
}

function identifier(name: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(name));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
