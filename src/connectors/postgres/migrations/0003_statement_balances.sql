-- What each statement of a file that counts says its account opened and closed with: for the daily report, by account. Files
-- that were taken in before have none; what they said is then not known.
create table providers.statement_balances (
  raw_statement_id text not null references providers.bank_statements_raw (id),
  -- Its place among the file's statements, from 0.
  ordinal integer not null,
  bank_profile_id text not null,
  account_hash text not null,
  account_last4 text not null,
  currency text not null,
  sequence text,
  page integer,
  -- Minor units, credit +; null where it does not say.
  opening numeric(31, 0),
  closing numeric(31, 0),
  -- The day that it closes; where it does not say, that of its last line. Null: neither.
  day date,
  -- Booking dates of its lines, or where the bank leaves them out the value dates. Null without lines.
  lines_from date,
  lines_to date,
  primary key (raw_statement_id, ordinal)
);
create index statement_balances_account on providers.statement_balances (bank_profile_id, account_hash, currency, day);
