-- Units may name streams that must not exist. The function of 0001 with one word more, where heads are made.

-- Appends one batch of units, all of them or nothing.
--
-- Rows (one per stream and unit, in order) and streams (one per distinct stream) come as parallel arrays; offsets count
-- from 0 within the batch. A stream whose count is 0 must not exist: it is looked at, and not written. A row of an
-- unconstrained stream has no version but `ahead`: the events that the batch itself puts before it on that stream.
--
-- Answers with the first position and the recorded time, or with the heads of the streams that were stale. The statements
-- after the lock each take a new snapshot (READ COMMITTED), so they see every commit that came before the lock was ours.
create or replace function eventstore.append(
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
  where s.expect = 0 and s.count > 0;

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
