-- By which rules was matched, and since when: the last one is in use.
create table reconciliation.rules_used (
  version text primary key,
  -- Of what is in the file: one version is never two files.
  fingerprint text not null,
  used_at timestamptz not null
);

-- The latest day that a run has looked from: days never go back.
alter table reconciliation.current_run add column day date;
