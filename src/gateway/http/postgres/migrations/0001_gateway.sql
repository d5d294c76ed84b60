-- What the doors keep for themselves. Nothing here is truth: all of it may be lost at any time, and costs no franc.
create schema gateway;

-- Answers to commands by their idempotency key, for a while, and marks of those that are at work. A cache: the event log
-- decides, and gives the same answer when a row is gone.
create table gateway.idempotency_log (
  tenant text not null,
  -- Keys belong to the principal (user:<id>, service:<name>), not to a session: a retry after a new login must not pay twice.
  principal text not null,
  key text not null,
  -- Hash of operation, target and body: the same key with another body is refused.
  fingerprint text not null,
  -- The session that first asked, where a person asked. Decides nothing.
  session text,
  -- Who carries it out, until when: after that somebody else may, because whoever it was has died.
  claim uuid not null,
  claimed_until timestamptz not null,
  -- Null: still at work.
  answer json,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant, principal, key)
) with (fillfactor = 80);

create index idempotency_log_expires_at on gateway.idempotency_log (expires_at);

-- How often somebody called in the window that is running. Unlogged: a crash forgives everybody.
create unlogged table gateway.rate_counters (
  -- principal:…, or address:<keyed hash>
  key text primary key,
  hits bigint not null,
  ends_at timestamptz not null
) with (fillfactor = 50);

create index rate_counters_ends_at on gateway.rate_counters (ends_at);
