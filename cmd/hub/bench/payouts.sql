-- Members with an account who are paid each month.
create schema if not exists bench;

create function bench.payees(n int) returns void language sql as $$
    insert into members.organisation (id, kind, names, region, commune, lat, lng, state)
        select 'org_bench_' || i, 'beneficiary_coop', '{}', '', '', 0, 0, 'active' from generate_series(0, n - 1) i;
    insert into members.bank_account (id, organisation, rib, holder, state, first, since, verified_by)
        select 'acc_bench_' || i, 'org_bench_' || i, '011519000001205000534921', 'Exemple', 'current', true, platform.now(), 'bench' from generate_series(0, n - 1) i;
    insert into payouts.setting (payee, party, schedule, minimum, changed_by)
        select 'seller', 'org_bench_' || i, 'monthly', 0, 'bench' from generate_series(0, n - 1) i;
$$;

-- The time of the first n of them has come.
create function bench.payday(n int) returns void language sql as $$
    insert into platform.timer (kind, subject, due, next_at)
        select 'payouts.due', 'seller:org_bench_' || i, platform.now(), platform.now() from generate_series(0, n - 1) i
        on conflict (kind, subject) do update set due = excluded.due, next_at = excluded.next_at;
$$;
