-- What the Providers have of their own: which banks and connectors there are, and the journal of their calls. How the
-- breakers stand is a projection of the log (projections.connector_states); the registry shows both.
create schema providers;

create table providers.bank_profiles (
  id text primary key,
  bank_name text not null,
  swift_bic text,
  supported_rails text[] not null,
  -- No longer in the configuration. What names it stays readable.
  retired_at timestamptz
);

create table providers.connectors (
  id text primary key,
  bank_profile_id text not null references providers.bank_profiles (id),
  connector_type text not null check (connector_type in ('rest', 'mt940', 'iso20022', 'local', 'csv')),
  -- As it was configured: references in the place of secrets, never the secrets.
  config jsonb not null,
  retired_at timestamptz
);

-- One row a call, written in batches. Partitioned by day, so that old days go in one piece.
create table providers.bank_connector_logs (
  id bigint generated always as identity,
  connector_id text not null,
  operation text not null,
  trace_id text not null,
  status text not null check (status in ('success', 'failed')),
  duration_ms double precision not null,
  created_at timestamptz not null default clock_timestamp(),
  provider_ref text,
  payout_slice_id text,
  reason text,
  primary key (id, created_at)
) partition by range (created_at);

create index bank_connector_logs_trace_id on providers.bank_connector_logs (trace_id);
create index bank_connector_logs_connector on providers.bank_connector_logs (connector_id, created_at);

-- Rows of a day for which there is no partition yet: none is lost because a partition was late.
create table providers.bank_connector_logs_other partition of providers.bank_connector_logs default;

-- Nonces of callbacks that were taken: a callback is taken once, whichever process it came to.
create table providers.callback_nonces (
  scope text not null,
  nonce text not null,
  until timestamptz not null,
  primary key (scope, nonce)
);
create index callback_nonces_until on providers.callback_nonces (until);

-- How a breaker stands. A function, and not a join in the view below: the projection's view is made anew by each rebuild,
-- and could not be while another view stands on it.
create function providers.breaker_of(connector text)
returns table (circuit_breaker_state text, failure_count integer)
language plpgsql stable as $$
begin
  return query select s.circuit_breaker_state, s.failure_count from projections.connector_states s where s.id = connector;
end $$;

create view providers.bank_connectors_registry as
select c.id, c.bank_profile_id, c.connector_type, c.config,
  coalesce(b.circuit_breaker_state, 'CLOSED') as circuit_breaker_state,
  coalesce(b.failure_count, 0) as failure_count
from providers.connectors c left join lateral providers.breaker_of(c.id) b on true
where c.retired_at is null;
