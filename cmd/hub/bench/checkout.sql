-- The least a server can do for one checkout: bench.checkout writes the rows
-- that POST /v1/checkouts writes, copied from one real checkout under new ids,
-- in one call. The bench compares what both wrote, table by table.

create schema bench;
grant usage on schema bench to hub_app;

-- name gives an id a number of its own, at the same length.
create function bench.name(id text, n bigint) returns text language sql immutable parallel safe
    return left(id, -13) || lpad(n::text, 13, '0');

-- What may be bought: one article of each of two sellers a row.
create table bench.pool (nr int primary key, first text, first_offer text, second text, second_offer text);

create function bench.fill(one text, other text) returns bigint language sql as $$
    insert into bench.pool
    select row_number() over (), a.id, a.offer, b.id, b.offer
    from (select id, offer, row_number() over (order by id) as nr from catalog.variant where seller = one and sku like 'BENCH-%') a
    join (select id, offer, row_number() over (order by id) as nr from catalog.variant where seller = other and sku like 'BENCH-%') b using (nr);
    select count(*) from bench.pool
$$;

-- open writes baskets and the quotes made for them.
create function bench.open(buyers text[], quotes jsonb[]) returns void language sql as $$
    insert into orders.basket (id, buyer, version)
        select q->>'basket', b, (q->>'basket_version')::bigint from unnest(buyers, quotes) as x(b, q);
    insert into orders.basket_line (basket, variant, quantity, price)
        select q->>'basket', l->>'variant', (l->>'quantity')::int, ((l->'price'->>'amount')::numeric * 100)::bigint
        from unnest(quotes) as x(q), jsonb_array_elements(q->'lines') as y(l);
    insert into orders.quote (id, basket, hash, version, method, commune, region, body, expires_at)
        select q->>'id', q->>'basket', q->>'hash', (q->>'basket_version')::bigint, q->'delivery'->>'method',
            q->'delivery'->>'commune', q->'delivery'->>'region', q, (q->>'expires_at')::timestamptz
        from unnest(quotes) as x(q);
$$;

create sequence bench.stocked;
create sequence bench.sold;
grant usage on sequence bench.sold to hub_app;

-- stock opens so many baskets for bench.checkout to buy, as the hub's are: two
-- articles drawn from the pool.
create function bench.stock(many bigint) returns void language plpgsql as $$
declare
    most int := (select count(*) from bench.pool);
    made bigint[] := array(select nextval('bench.stocked') from generate_series(1, many));
begin
    insert into orders.basket (id, buyer, version)
        select bench.name(s.id, n), s.buyer, s.version from bench.basket s, unnest(made) as x(n);
    insert into orders.basket_line (basket, variant, quantity, price)
        select bench.name(s.id, r.n), v.variant, s.quantity, s.price
        from (select n, 1 + floor(random() * most)::int as one, 1 + floor(random() * most)::int as other from unnest(made) as x(n)) r
        join bench.pool a on a.nr = r.one
        join bench.pool b on b.nr = r.other
        cross join lateral (values (a.first), (b.second)) as v(variant)
        cross join bench.basket s;
end $$;

-- learn keeps the rows of one checkout as the sample that all copies are made
-- of. Each order of it has one line.
create function bench.learn(wanted text, answered text) returns void language plpgsql as $$
declare
    g orders.order_group;
    ids text[];
    op text;
    t text;
begin
    select * into strict g from orders.order_group where id = wanted;
    ids := array(select o.id from orders.seller_order o where o.grp = wanted order by o.id);
    select o.id into strict op from operations.operation o where o.subject = g.charge;
    create table bench.basket as
        select b.id, b.buyer, b.version - 1 as version, l.quantity, l.price
        from orders.basket b join orders.basket_line l on l.basket = b.id where b.id = g.basket limit 1;
    create table bench.order_group as select * from orders.order_group where id = wanted;
    create table bench.seller_order as select array_position(ids, id) as nr, * from orders.seller_order where id = any(ids) order by 1;
    create table bench.line as select array_position(ids, order_id) as nr, * from orders.line where order_id = any(ids) order by 1;
    create table bench.timeline as select array_position(ids, order_id) as nr, * from orders.timeline where order_id = any(ids) order by 1;
    create table bench.reservation as select array_position(ids, order_id) as nr, * from catalog.reservation where order_id = any(ids) order by 1;
    create table bench.hold as select array_position(ids, order_id) as nr, * from escrow.hold where order_id = any(ids) order by 1;
    create table bench.charge as select * from charges.charge where id = g.charge;
    create table bench.operation as select * from operations.operation where id = op;
    create table bench.timer as select * from platform.timer where subject in (g.charge, op);
    create table bench.event as select * from platform.event where subject = wanted;
    create table bench.audit as select * from platform.audit where subject = wanted;
    create table bench.tally as select what, per, key, method, count, amount from limits.tally;
    create table bench.decision as select * from limits.decision where ref = wanted;
    create table bench.answer as select * from platform.answer where key = answered;
    foreach t in array array['basket', 'order_group', 'seller_order', 'line', 'timeline', 'reservation', 'hold', 'charge', 'operation', 'timer', 'event', 'audit', 'tally', 'decision', 'answer'] loop
        execute format('grant select on bench.%I to hub_app', t);
        execute format('analyze bench.%I', t);
    end loop;
end $$;

create function bench.checkout() returns bigint language plpgsql as $$
declare
    n bigint := nextval('bench.sold');
    basket_id text := bench.name((select id from bench.basket), n);
    moment timestamptz := platform.enter((select actor from bench.audit));
    v text[];
begin
    update orders.basket set state = 'ordered', version = version + 1 where id = basket_id and state = 'open';
    if not found then
        raise exception 'there is no open basket %', basket_id;
    end if;
    v := array(select variant from orders.basket_line where basket = basket_id order by variant);
    update catalog.variant set reserved = reserved + 1 where id = v[1];
    update catalog.variant set reserved = reserved + 1 where id = v[2];
    insert into charges.charge (id, group_id, buyer, method, acquirer, ref, contact, currency, amount, state, created_at, expires_at)
        select bench.name(id, n), bench.name(group_id, n), buyer, method, acquirer, bench.name(ref, n), contact, currency, amount, state, moment, moment + (expires_at - created_at)
        from bench.charge;
    insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, state, sent_at, lease_until, resend_until)
        select bench.name(id, n), bench.name(subject, n), kind, connector, bench.name(ref, n), amount, currency, request, state, moment, moment, moment + (resend_until - created_at)
        from bench.operation;
    insert into platform.timer (kind, subject, due, next_at)
        select kind, bench.name(subject, n), moment + interval '45 s', moment + interval '45 s' from bench.timer;
    insert into orders.order_group (id, basket, buyer, charge, currency, total, contact, delivery, created_at)
        select bench.name(id, n), basket_id, buyer, bench.name(charge, n), currency, total, contact, delivery, moment from bench.order_group;
    insert into orders.seller_order (id, grp, seller, seller_names, buyer, state, currency, goods, delivery, total, legs, method, delivery_code, created_at)
        select bench.name(id, 2 * n + nr), bench.name(grp, n), seller, seller_names, buyer, state, currency, goods, delivery, total, legs, method, delivery_code, moment
        from bench.seller_order;
    insert into orders.line (order_id, variant, offer, names, variant_names, sku, quantity, price, total)
        select bench.name(order_id, 2 * n + nr), v[nr], offer, names, variant_names, sku, quantity, price, total from bench.line;
    insert into orders.timeline (order_id, at, actor, what)
        select bench.name(order_id, 2 * n + nr), moment, actor, what from bench.timeline;
    insert into catalog.reservation (order_id, variant, quantity, state, due)
        select bench.name(order_id, 2 * n + nr), v[nr], quantity, state, moment + interval '73 h' from bench.reservation;
    insert into escrow.hold (id, order_id, seller, buyer, charge, carrier, currency, amount, legs, state, wait_s)
        select bench.name(id, 2 * n + nr), bench.name(order_id, 2 * n + nr), seller, buyer, bench.name(charge, n), carrier, currency, amount, legs, state, wait_s
        from bench.hold;
    insert into platform.audit (action, subject, policy, detail)
        select action, bench.name(subject, n), policy, detail from bench.audit;
    insert into platform.event (id, type, subject, payload)
        select bench.name(id, n), type, bench.name(subject, n), payload from bench.event;
    insert into limits.tally as t (what, per, key, at, method, shard, count, amount)
        select what, per, case when per in ('phone', 'address') then md5(n || key) else key end, date_bin('5 minutes', moment, 'epoch'), method, pg_backend_pid() % 16, count, amount from bench.tally
        on conflict (what, per, key, at, method, shard) do update set count = t.count + excluded.count, amount = t.amount + excluded.amount;
    insert into limits.decision (id, what, ref, outcome, rules, figures, seller, amount, at)
        select bench.name(id, n), what, bench.name(ref, n), outcome, rules, figures, seller, amount, moment from bench.decision;
    insert into platform.answer (actor, key, request, status, body)
        select actor, bench.name(key, n), request, status, body from bench.answer;
    return n;
end $$;
