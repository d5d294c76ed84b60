-- Brings tables that were made before to what src/projections/*.projection.ts makes now, without a rebuild. On a new
-- database there is nothing to do. The row of the checkpoint is locked first, as the projector does.
do $$
declare
  live integer;
begin
  -- Accounts, version 2: their owner. No wallet had one before, so the rows are what a rebuild would make of them.
  select table_version into live from projections.checkpoints
  where projection = 'accounts' and code_version = 1 for update;
  if found then
    execute format('alter table projections.%I add column owner text', 'accounts_v' || live);
    execute format('create index on projections.%I (owner, id) where owner is not null', 'accounts_v' || live);
    drop view projections.accounts;
    execute format('create view projections.accounts as
      select id, class, currency, status, coalesce(posted, summed) as posted, held, overdraft_limit, fee_bps, owner,
        version, created_at, updated_at, position, posted - held + overdraft_limit as available
      from projections.%I', 'accounts_v' || live);
    update projections.checkpoints set code_version = 2 where projection = 'accounts';
  end if;

  -- Payments: indexes of their lists. The rows stay as they are, and so does the version.
  select table_version into live from projections.checkpoints where projection = 'payments' for update;
  if found then
    execute format('create index on projections.%I (payer, created_at)', 'payments_v' || live);
    execute format('create index on projections.%I (payee, created_at)', 'payments_v' || live);
    execute format('create index on projections.%I (kind, created_at)', 'payments_v' || live);
    execute format('create index on projections.%I (payer, created_at) where status <> ''SETTLED''', 'payments_v' || live);
    execute format('create index on projections.%I (payee, created_at) where status <> ''SETTLED''', 'payments_v' || live);
    execute format('create index on projections.%I (status, created_at) where status <> ''SETTLED''', 'payments_v' || live);
  end if;
end $$;
