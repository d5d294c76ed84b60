-- Double-entry bookkeeping as a good engineer would write it in SQL by hand: the yardstick for what Kora adds.
create schema ledger;

create table ledger.balances (
  account bigint primary key,
  currency text not null,
  balance bigint not null,
  -- Entries so far: the version that the last one made.
  version bigint not null default 0
) with (fillfactor = 50); -- room for updates on the page: hot rows stay HOT

create table ledger.payments (
  id bigint generated always as identity primary key,
  key text not null unique,
  payer bigint not null,
  payee bigint not null,
  amount bigint not null check (amount > 0),
  currency text not null,
  state text not null,
  created_at timestamptz not null default now()
);

create table ledger.transactions (
  id bigint generated always as identity primary key,
  payment bigint not null,
  kind text not null,
  created_at timestamptz not null default now()
);
create index transactions_payment on ledger.transactions (payment);

create table ledger.entries (
  id bigint generated always as identity primary key,
  transaction bigint not null,
  account bigint not null,
  -- Credit is positive.
  amount bigint not null,
  balance_after bigint not null,
  version bigint not null
);
create index entries_account on ledger.entries (account, id);
create index entries_transaction on ledger.entries (transaction);

-- Moves money once per key. Answers with the payment, and its state: SETTLED, or INSUFFICIENT_FUNDS (nothing written).
create function ledger.transfer(p_payer bigint, p_payee bigint, p_amount bigint, p_key text)
returns table (payment bigint, state text)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
  v_payment bigint;
  v_transaction bigint;
  payer ledger.balances;
  payee ledger.balances;
begin
  select p.id into v_payment from ledger.payments p where p.key = p_key;
  if found then
    return query select v_payment, 'SETTLED'::text;
    return;
  end if;

  -- In the order of ids, so that A to B beside B to A cannot dead-lock.
  if p_payer < p_payee then
    select * into payer from ledger.balances b where b.account = p_payer for no key update;
    select * into payee from ledger.balances b where b.account = p_payee for no key update;
  else
    select * into payee from ledger.balances b where b.account = p_payee for no key update;
    select * into payer from ledger.balances b where b.account = p_payer for no key update;
  end if;
  if payer.balance < p_amount then
    return query select null::bigint, 'INSUFFICIENT_FUNDS'::text;
    return;
  end if;

  insert into ledger.payments (key, payer, payee, amount, currency, state)
  values (p_key, p_payer, p_payee, p_amount, payer.currency, 'SETTLED')
  returning id into v_payment;
  insert into ledger.transactions (payment, kind) values (v_payment, 'P2P') returning id into v_transaction;
  insert into ledger.entries (transaction, account, amount, balance_after, version)
  values (v_transaction, p_payer, -p_amount, payer.balance - p_amount, payer.version + 1),
         (v_transaction, p_payee, p_amount, payee.balance + p_amount, payee.version + 1);
  update ledger.balances b set balance = b.balance - p_amount, version = b.version + 1 where b.account = p_payer;
  update ledger.balances b set balance = b.balance + p_amount, version = b.version + 1 where b.account = p_payee;
  return query select v_payment, 'SETTLED'::text;
end $$;
