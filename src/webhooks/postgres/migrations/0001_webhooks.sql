-- What others are told, and how far it has come. All of it but the endpoints is derived from the log: it is written in one
-- transaction with the place in the log up to which it was, so there is no second write that could be lost. There are no
-- foreign keys on the way of every delivery: one writer makes the rows, and the sweeper takes them away in their order.
create schema webhooks;

-- How far in the log: `deliveries` is the relay's, `publisher:<name>` that of a publisher.
create table webhooks.checkpoints (
  name text primary key,
  -- All units up to here were told. Always the end of a unit.
  position bigint not null check (position >= 0),
  updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);
insert into webhooks.checkpoints (name, position) values ('deliveries', 0);

create table webhooks.endpoints (
  id text primary key,
  -- Whose it is: a principal.
  owner text not null,
  url text not null,
  types text[] not null,
  -- It is told what comes after this position.
  from_position bigint not null,
  -- AES-256-GCM by the keyring of identity. The one before signs as well, until then.
  secret_sealed bytea not null,
  previous_sealed bytea,
  previous_until timestamptz,
  created_at timestamptz not null,
  -- What was made for it is swept away little by little, then it is.
  removed_at timestamptz,
  check ((previous_sealed is null) = (previous_until is null))
);
create index on webhooks.endpoints (owner);

-- Events that at least one endpoint chose.
create table webhooks.events (
  -- Of its fact in the log.
  position bigint primary key,
  id text not null,
  type text not null,
  stream text not null,
  sequence bigint not null,
  recorded_at timestamptz not null,
  -- What is signed and sent, byte for byte.
  body text not null
);
create index on webhooks.events (id);

create table webhooks.deliveries (
  position bigint not null,
  endpoint_id text not null,
  stream text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'dead', 'skipped')),
  -- Since it was made, or replayed.
  attempts integer not null default 0,
  first_at timestamptz,
  last_at timestamptz,
  -- Words of ours; what a receiver answered is nowhere.
  last_error text,
  primary key (endpoint_id, position)
) with (fillfactor = 70);
-- The next of a lane, and whether something dead is on it.
create index on webhooks.deliveries (endpoint_id, stream, position) where status in ('pending', 'dead');
-- What is left, the oldest first.
create index on webhooks.deliveries (endpoint_id, position) where status in ('pending', 'dead');
-- For the sweeper.
create index on webhooks.deliveries (last_at) where status in ('delivered', 'skipped');
create index on webhooks.deliveries (position);

-- One row for each endpoint and stream that has something to deliver: what keeps events of one payment in order, and what a
-- deliverer claims. It looks at lanes that are due, however many deliveries wait behind them.
create table webhooks.lanes (
  endpoint_id text not null,
  stream text not null,
  -- Deliveries that are pending. Whoever adds or ends one holds the row, so none is left without its lane.
  pending integer not null check (pending >= 0),
  due_at timestamptz not null,
  -- Behind a dead delivery everything waits until that is replayed or skipped.
  blocked boolean not null default false,
  -- Who delivers, until when by this database's clock.
  claim uuid,
  claimed_until timestamptz,
  primary key (endpoint_id, stream)
) with (fillfactor = 50);
create index on webhooks.lanes (endpoint_id, due_at) where not blocked;
