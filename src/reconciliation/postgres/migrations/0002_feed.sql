-- What is known of payments from their events, so that the next event of one can be understood.
create table reconciliation.payments_seen (
  payment_id text primary key,
  -- Of the last event that is in it.
  sequence bigint not null,
  seen jsonb not null
) with (fillfactor = 80);

-- Events of a version that this build does not understand. They are kept as they came, and taken by a build that does.
create table reconciliation.parked_events (
  feed_position bigint not null,
  event_id text primary key,
  -- What comes after it of the same subject waits with it.
  subject text not null,
  sequence bigint not null,
  type text not null,
  version integer not null,
  body text not null,
  signature text not null,
  parked_at timestamptz not null default clock_timestamp()
);
create index parked_events_subject on reconciliation.parked_events (subject, sequence);

-- What was carried out in the core of what reconciliation found, and what became of it.
create table reconciliation.carried_out (
  effect_id text primary key,
  -- `done`: the core has it. `refused`: it will not, and people have a case.
  outcome text not null check (outcome in ('done', 'refused', 'nothing')),
  -- The core's answer: ids, and the code of a refusal.
  answer jsonb not null,
  at timestamptz not null default clock_timestamp()
);

-- How the core's ledger has each line: with its payment, or by itself.
create table reconciliation.line_bookings (
  line_id text primary key,
  booked_as text not null check (booked_as in ('none', 'payment', 'suspense', 'fee', 'interest')),
  -- Each booking has a key of its own, by this number.
  bookings integer not null
);

-- The run that is under way, so that whoever is started after a crash goes on with it; and the number of the next one.
create table reconciliation.current_run (
  single boolean primary key default true check (single),
  number bigint not null,
  completed boolean not null
);
insert into reconciliation.current_run (number, completed) values (0, true);

-- Effects are carried out in their order: up to here they are.
create table reconciliation.carried_out_to (
  single boolean primary key default true check (single),
  sequence bigint not null
);
insert into reconciliation.carried_out_to (sequence) values (0);
