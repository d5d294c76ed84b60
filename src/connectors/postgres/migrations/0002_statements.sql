-- Statements of banks and providers: the files as they came (sealed, in the object store), their lines, and the feed of
-- lines for whoever reconciles. Nothing here is ever deleted, and nothing that is personal is here in the clear.

-- Keys that the keys of the configuration wrap: `data/<profile>/<day>` seals the objects and lines of a day, `hash` makes the
-- keyed hashes by which references and accounts are found.
create table providers.statement_keys (
  name text primary key,
  wrapped bytea not null,
  made_at timestamptz not null default clock_timestamp()
);

create table providers.bank_statements_raw (
  id text primary key,
  bank_profile_id text not null,
  file_s3_key text not null,
  -- SHA-256 of the plain bytes, in hex.
  file_hash text not null,
  file_bytes bigint not null,
  origin text not null check (origin in ('upload', 'sftp', 'cli', 'connector')),
  -- The day of the key that its lines are sealed with.
  day text not null,
  -- Its name at the bank, which may hold an account.
  file_name bytea not null,
  -- What was found in it: counts, balances, problems. Nothing personal.
  parsed jsonb,
  status text not null default 'received' check (status in ('received', 'parsed', 'quarantined', 'unreadable')),
  -- Lines that are in, counted from the file's beginning: whoever takes up an import that broke off goes on there.
  lines_done integer not null default 0,
  received_at timestamptz not null default clock_timestamp(),
  imported_at timestamptz,
  -- A person has looked at what was quarantined, and lets it count.
  released_at timestamptz,
  released_by text,
  release_reason text,
  unique (bank_profile_id, file_hash)
);
create index bank_statements_raw_file_hash on providers.bank_statements_raw (file_hash);
create index bank_statements_raw_received on providers.bank_statements_raw (received_at, id);
create index bank_statements_raw_waiting on providers.bank_statements_raw (received_at) where status = 'received';

create table providers.bank_statement_lines (
  id text primary key default gen_random_uuid()::text,
  raw_statement_id text not null references providers.bank_statements_raw (id),
  bank_profile_id text not null,
  -- The booking date, or where the bank leaves it out the value date.
  statement_date date not null,
  -- Minor units of the currency, credit +.
  amount numeric(31, 0) not null,
  currency text not null,
  -- A keyed hash: equal references have equal hashes. Null where there is none.
  reference text,
  -- unmatched; matched; quarantined: its file failed a check, nothing may match on it; superseded: its file was released,
  -- and the line is in again under its own identity.
  reconciliation_status text not null default 'unmatched',
  matched_payout_id text,
  value_date date not null,
  entry_date date,
  reversal boolean not null,
  transaction_code text,
  -- Keyed hashes of every reference that it carries, the bank's and those of a batch's parts among them.
  reference_hashes text[] not null,
  account_hash text not null,
  account_last4 text not null,
  statement_sequence text,
  statement_page integer,
  -- Its place among the file's lines, from 0, and its line of text in the file, from 1.
  ordinal integer not null,
  file_line integer not null,
  -- What makes it this line: a keyed hash, and which one it is of those that are alike: docs/statement-intake.md.
  identity text not null,
  occurrence integer not null,
  -- Account, references, remittance text, names: with the key of the file's day.
  sealed bytea not null,
  unique (bank_profile_id, identity, occurrence)
);
create index bank_statement_lines_status on providers.bank_statement_lines (reconciliation_status);
create index bank_statement_lines_file on providers.bank_statement_lines (raw_statement_id, ordinal);
create index bank_statement_lines_reference on providers.bank_statement_lines using gin (reference_hashes);

-- Where lines were reported: each line of each file that counts. So a line that two files report is one, and two lines that
-- are alike are two.
create table providers.statement_sightings (
  raw_statement_id text not null references providers.bank_statements_raw (id),
  ordinal integer not null,
  bank_profile_id text not null,
  identity text not null,
  -- The statement (its page) that reports it, whichever file that came in.
  statement text not null,
  series text not null check (series in ('booked', 'intraday')),
  -- Which one of those that are alike it is in that statement, and which one of all of them.
  nth integer not null,
  occurrence integer not null,
  primary key (raw_statement_id, ordinal)
);
create index statement_sightings_nth on providers.statement_sightings (bank_profile_id, identity, statement, nth);
create index statement_sightings_occurrence
  on providers.statement_sightings (bank_profile_id, identity, series, occurrence);

-- Lines that may be matched, in the order in which they came: dense positions from 1, and nothing personal.
create table providers.statement_events (
  position bigint primary key,
  line_id text not null unique references providers.bank_statement_lines (id),
  raw_statement_id text not null,
  bank_profile_id text not null,
  amount numeric(31, 0) not null,
  currency text not null,
  statement_date date not null,
  value_date date not null,
  entry_date date,
  reversal boolean not null,
  reference text,
  reference_hashes text[] not null,
  recorded_at timestamptz not null default clock_timestamp()
);
-- Whoever adds takes its row first, so positions are committed in their order and a reader misses none.
create table providers.statement_events_head (
  single boolean primary key default true check (single),
  position bigint not null
);
insert into providers.statement_events_head (position) values (0);

-- Who read or wrote which object or line, when and why. It can be added to, and not rewritten.
create table providers.statement_access (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null check (action in ('write', 'read', 'release', 'fetch')),
  raw_statement_id text,
  object_key text,
  reason text not null,
  correlation_id text
);
create index statement_access_file on providers.statement_access (raw_statement_id, at);
