-- The upkeep of what is only ever added to. By default autovacuum waits until a table has grown by a fifth: of an old log
-- that is millions of pages at once, each of which the last checkpoint is long past, so that it is written to the WAL
-- whole, twice even: once to be marked, once to be frozen. In small bites a page is marked and frozen soon after it was
-- written, within the same checkpoint, and is never touched again.

alter table eventstore.heads set (
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000, autovacuum_freeze_min_age = 0);

do $$
declare
  partition regclass;
begin
  for partition in select inhrelid from pg_inherits where inhparent = 'eventstore.log'::regclass loop
    execute format('alter table %s set (autovacuum_vacuum_insert_scale_factor = 0,
      autovacuum_vacuum_insert_threshold = 100000, autovacuum_freeze_min_age = 0)', partition);
  end loop;
end $$;

-- Makes the partition that will hold `up_to`, without stopping readers or writers. Called ahead of need. The function of
-- 0001, with the upkeep of what it makes: a partitioned table has no such settings to hand down.
create or replace function eventstore.ensure_partition(up_to bigint) returns void language plpgsql as $$
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
  execute format('create table eventstore.%I (like eventstore.log including defaults including constraints)
    with (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
      autovacuum_freeze_min_age = 0)', name);
  execute format('alter table eventstore.log attach partition eventstore.%I for values from (%s) to (%s)',
    name, number * size + 1, (number + 1) * size + 1);
end $$;
