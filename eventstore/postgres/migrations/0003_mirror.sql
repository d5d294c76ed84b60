-- A log may be kept elsewhere (KurrentDB). Then eventstore.log and eventstore.heads are a mirror of it, for the views that
-- read them: whole units, in order, each exactly once, because this row moves in the transaction that writes them. Its
-- positions have gaps. Nothing is ever appended here, and there are no commits: there is no chain over a copy.
create table eventstore.mirror (
  -- One row, made when the database was first used so; none where the log is kept here.
  one boolean primary key default true check (one),
  -- All units up to here are in the mirror, and none after it. Always the end of a unit.
  position bigint not null default 0 check (position >= 0),
  updated_at timestamptz not null default clock_timestamp()
);
