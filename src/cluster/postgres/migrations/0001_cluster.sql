-- What several processes on one database agree on. Nothing here is truth: an election only saves work, and what is lost
-- here is written again within a second.
create schema cluster;

-- Who does what only one needs to do, until when by this database's clock.
create table cluster.leases (
  name text primary key,
  -- The process, one name for each of its lives.
  holder text not null,
  expires_at timestamptz not null
) with (fillfactor = 50);

-- Processes that serve and can be reached by the others.
create table cluster.members (
  id text primary key,
  -- host:port of its peer door.
  address text not null,
  expires_at timestamptz not null
) with (fillfactor = 50);
