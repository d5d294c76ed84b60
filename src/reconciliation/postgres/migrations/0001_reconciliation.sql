-- Both sides of the reconciliation, what was matched, and what that means for the core. One writer at a time
-- (an advisory lock), so that numbers are in the order of commits.
create schema reconciliation;

-- How far every feed was taken in: written together with what it brought.
create table reconciliation.cursors (
  feed text primary key,
  position bigint not null check (position >= 0)
);

-- What came, which does not change but for its release; and beside it what became of it, which does.
create table reconciliation.lines (
  -- In the order in which they came.
  number bigint primary key,
  id text not null unique,
  profile text not null,
  account text not null,
  -- Minor units, credit +.
  amount numeric(30) not null,
  currency text not null,
  value_date date not null,
  -- Its file is quarantined.
  held boolean not null,
  -- All of it, as JSON.
  body text not null,
  -- Hash of what the weak rule wants to be equal; null: it takes no part.
  weak_key bigint
);
create index lines_weak on reconciliation.lines (weak_key, value_date) where weak_key is not null;

create table reconciliation.line_states (
  line bigint primary key,
  state text not null default 'OPEN'
    check (state in ('OPEN', 'MATCHED', 'MISMATCH', 'KNOWN', 'MISSING_INTERNAL')),
  reason text,
  -- There is room for one match: that is what makes matches exclusive.
  match_id bigint,
  -- A reference ties it to an expectation; to a single one.
  agreed boolean not null default false,
  direct boolean not null default false,
  examined boolean not null default false,
  -- The day on which time alone may change its state; `-infinity`: it is new or was changed, and has to be looked at.
  due date default '-infinity',
  -- How often what became of it changed.
  changes integer not null default 0,
  check ((state in ('MATCHED', 'MISMATCH', 'KNOWN')) = (match_id is not null)),
  check ((state = 'MISSING_INTERNAL') = (reason is not null))
) with (fillfactor = 70);
create index line_states_due on reconciliation.line_states (due, line) where due is not null;
-- What people look at. What is open is due some day.
create index line_states_unmatched on reconciliation.line_states (line) where state in ('MISMATCH', 'MISSING_INTERNAL');

-- Hashes of references. Two may share one: what is found is compared.
create table reconciliation.line_keys (
  key bigint not null,
  line bigint not null
);
create index line_keys_key on reconciliation.line_keys (key) include (line);

create table reconciliation.expectations (
  number bigint primary key,
  id text not null unique,
  profile text not null,
  direction text not null check (direction in ('in', 'out')),
  amount numeric(30) not null check (amount > 0),
  currency text not null,
  date date not null,
  -- Of the feed: the later of two versions holds.
  position bigint not null,
  withdrawn boolean not null,
  body text not null,
  weak_key bigint
);
create index expectations_weak on reconciliation.expectations (weak_key, date) where weak_key is not null;

create table reconciliation.expectation_states (
  expectation bigint primary key,
  state text not null default 'OPEN' check (state in ('OPEN', 'MATCHED', 'MISMATCH', 'MISSING_PROVIDER')),
  reason text,
  match_id bigint,
  agreed boolean not null default false,
  examined boolean not null default false,
  due date default '-infinity',
  changes integer not null default 0,
  check ((state in ('MATCHED', 'MISMATCH')) = (match_id is not null)),
  check ((state = 'MISSING_PROVIDER') = (reason is not null))
) with (fillfactor = 70);
create index expectation_states_due on reconciliation.expectation_states (due, expectation) where due is not null;
create index expectation_states_unmatched on reconciliation.expectation_states (expectation)
  where state in ('MISMATCH', 'MISSING_PROVIDER');

create table reconciliation.expectation_keys (
  key bigint not null,
  expectation bigint not null
);
create index expectation_keys_key on reconciliation.expectation_keys (key) include (expectation);

-- Matches are ended, never deleted.
create table reconciliation.matches (
  id bigint primary key,
  kind text not null check (kind in ('match', 'mismatch', 'known', 'reversal')),
  -- Of the file, or `manual`, `mismatch`.
  rule text not null,
  rules_version text not null,
  line_ids text[] not null,
  expectation_ids text[] not null,
  -- Of the expectations, in their order, minor units.
  fees numeric(30)[] not null,
  -- Which fields agree, the reference, the difference, the decision.
  because jsonb not null,
  made_by text not null,
  made_at timestamptz not null default now(),
  -- The run.
  ended_by text,
  ended_at timestamptz,
  check ((ended_by is null) = (ended_at is null))
);

-- What people decided; above every rule.
create table reconciliation.decisions (
  id text primary key,
  kind text not null check (kind in ('link', 'forbid')),
  line_ids text[] not null,
  expectation_ids text[] not null,
  decided_by text not null,
  decided_at text not null,
  revoked boolean not null
);
create index decisions_lines on reconciliation.decisions using gin (line_ids) where not revoked;
create index decisions_expectations on reconciliation.decisions using gin (expectation_ids) where not revoked;

-- What has to be carried out, to be read in order. Sequence numbers are dense.
create table reconciliation.effects (
  sequence bigint primary key,
  -- The same effect has the same id for ever.
  id text not null,
  kind text not null,
  profile text not null,
  line_ids text[] not null,
  expectation_ids text[] not null,
  detail jsonb not null,
  run_id text not null,
  made_at timestamptz not null default now()
);

-- What each batch of a run came to, in the transaction of what it wrote: the run's own log is told afterwards.
create table reconciliation.batches (
  run_id text not null,
  number integer not null,
  counts jsonb not null,
  primary key (run_id, number)
);
