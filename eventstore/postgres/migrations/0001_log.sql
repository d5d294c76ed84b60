-- The log. One row per stream and unit; positions are dense and given under one lock, so they commit in order.
create schema eventstore;

create table eventstore.log (
  -- Position of the row's first event. The only unique key: the table is partitioned by it.
  position bigint not null,
  -- Events in this row.
  count integer not null check (count > 0),
  -- Position of the first event of the unit that the row belongs to.
  unit bigint not null,
  stream text not null,
  -- Version of the row's first event within its stream, from 1.
  version bigint not null check (version > 0),
  -- On the unit's first row only: when it was recorded (monotone), and its meta: {"unit": id, "count": events, …}.
  recorded_at timestamptz,
  meta json,
  -- [{"type", "schema", "data"}, …]. json, never jsonb: the hash chain is over these very bytes.
  events json not null,
  constraint log_position primary key (position)
) partition by range (position);

-- Reads of one stream. Unconstrained streams and wallets repeat their name, which btree de-duplication folds.
create index log_stream on eventstore.log (stream, version);

create table eventstore.log_p0 partition of eventstore.log for values from (1) to (100000001);

-- The fence: the one row that says which version a stream has. Updates stay on the page (HOT) thanks to the free space.
create table eventstore.heads (
  stream text primary key,
  version bigint not null,
  -- First position of the stream's last row.
  position bigint not null
) with (fillfactor = 80);

-- One row per commit (a batch of units). The chain: hash = sha256(previous hash ‖ first position ‖ count ‖ recorded µs ‖ digest).
create table eventstore.commits (
  position bigint primary key,
  count integer not null check (count > 0),
  batch uuid not null unique,
  recorded_at timestamptz not null,
  digest bytea not null,
  hash bytea not null,
  -- Versions that the unconstrained streams of the batch had before it: part of the first answer, given again to a resend.
  system_versions json
);

-- Makes the partition that will hold `up_to`, without stopping readers or writers. Called ahead of need.
create function eventstore.ensure_partition(up_to bigint) returns void language plpgsql as $$
declare
  size constant bigint := 100000000;
  number bigint := (up_to - 1) / size;
  name text := 'log_p' || number;
begin
  if to_regclass('eventstore.' || name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('eventstore.partition'));
  -- Asked of the table, in a new snapshot: `to_regclass` may still remember that there was nothing before the lock was ours.
  perform from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'eventstore' and c.relname = name;
  if found then return; end if;
  execute format('create table eventstore.%I (like eventstore.log including defaults including constraints)', name);
  execute format('alter table eventstore.log attach partition eventstore.%I for values from (%s) to (%s)',
    name, number * size + 1, (number + 1) * size + 1);
end $$;

-- Appends one batch of units, all of them or nothing.
--
-- Rows (one per stream and unit, in order) and streams (one per distinct stream) come as parallel arrays; offsets count
-- from 0 within the batch. A row of an unconstrained stream has no version but `ahead`: the events that the batch itself
-- puts before it on that stream.
--
-- Answers with the first position and the recorded time, or with the heads of the streams that were stale. The statements
-- after the lock each take a new snapshot (READ COMMITTED), so they see every commit that came before the lock was ours.
create function eventstore.append(
  batch_id uuid, batch_count integer, batch_digest bytea,
  row_offset integer[], row_count integer[], row_unit integer[], row_stream text[], row_version bigint[], row_ahead integer[],
  row_meta text[], row_events text[],
  stream_name text[], stream_expect bigint[], stream_count integer[], stream_last integer[]
) returns table (first_position bigint, recorded timestamptz, systems json, stale json)
language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
declare
  previous record;
  base bigint;
  at timestamptz;
  versions jsonb;
begin
  perform pg_advisory_xact_lock(hashtext('eventstore.append'));

  select c.position, c.recorded_at, c.system_versions into previous from eventstore.commits c where c.batch = batch_id;
  if found then
    return query select previous.position, previous.recorded_at, previous.system_versions, null::json;
    return;
  end if;

  select json_agg(json_build_object('stream', s.name, 'version', coalesce(h.version, 0))) into stale
  from unnest(stream_name, stream_expect) as s(name, expect)
  left join eventstore.heads h on h.stream = s.name
  where s.expect is not null and coalesce(h.version, 0) <> s.expect;
  if stale is not null then
    return next;
    return;
  end if;

  select c.position + c.count as next, c.recorded_at, c.hash into previous
  from eventstore.commits c order by c.position desc limit 1;
  base := coalesce(previous.next, 1);
  at := greatest(clock_timestamp(), previous.recorded_at);
  -- It is there long before it is needed, unless making it failed each time.
  if to_regclass('eventstore.log_p' || (base + batch_count - 2) / 100000000) is null then
    perform eventstore.ensure_partition(base + batch_count - 1);
  end if;

  select jsonb_object_agg(s.name, coalesce(h.version, 0)) into versions
  from unnest(stream_name, stream_expect) as s(name, expect)
  left join eventstore.heads h on h.stream = s.name
  where s.expect is null;

  insert into eventstore.log (position, count, unit, stream, version, recorded_at, meta, events)
  select base + r.o, r.c, base + r.u, r.s,
    case when r.v is not null then r.v else (versions ->> r.s)::bigint + 1 + r.a end,
    case when r.m is not null then at end, r.m::json, r.e::json
  from unnest(row_offset, row_count, row_unit, row_stream, row_version, row_ahead, row_meta, row_events)
    as r(o, c, u, s, v, a, m, e);

  update eventstore.heads h set version = h.version + s.count, position = base + s.last
  from unnest(stream_name, stream_expect, stream_count, stream_last) as s(name, expect, count, last)
  where h.stream = s.name and s.expect > 0;

  insert into eventstore.heads (stream, version, position)
  select s.name, s.count, base + s.last
  from unnest(stream_name, stream_expect, stream_count, stream_last) as s(name, expect, count, last)
  where s.expect = 0;

  if versions is not null then
    insert into eventstore.heads as h (stream, version, position)
    select s.name, s.count, base + s.last
    from unnest(stream_name, stream_expect, stream_count, stream_last) as s(name, expect, count, last)
    where s.expect is null
    on conflict (stream) do update set version = h.version + excluded.version, position = excluded.position;
  end if;

  insert into eventstore.commits (position, count, batch, recorded_at, digest, hash, system_versions)
  values (base, batch_count, batch_id, at, batch_digest,
    sha256(coalesce(previous.hash, '\x'::bytea) || int8send(base) || int4send(batch_count)
      || int8send((extract(epoch from at) * 1000000)::bigint) || batch_digest),
    versions::json);

  return query select base, at, versions::json, null::json;
end $$;
