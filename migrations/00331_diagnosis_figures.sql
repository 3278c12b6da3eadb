-- The figures' three quartiles are counted in one sort.

-- +goose Up
create or replace function diagnosis.figures(wanted text)
    returns table (kind text, region text, dimension text, organisations int, low float8, median float8, high float8)
    language sql stable security definer set search_path = pg_catalog as $$
with last as (
    select distinct on (r.organisation) r.kind, r.region, r.score, r.dimensions from diagnosis.run r
    where r.code = wanted and r.state = 'finished' and platform.role() in ('operator', 'system')
    order by r.organisation, r.finished_at desc, r.id desc
), points as (
    select l.kind, l.region, '' as dimension, l.score from last l
    union all
    select l.kind, l.region, d ->> 'code', (d ->> 'score')::int from last l, jsonb_array_elements(l.dimensions) d where d ->> 'score' is not null
), cells as (
    select p.kind, p.region, p.dimension, count(*)::int as n, percentile_cont(array[0.25, 0.5, 0.75]) within group (order by p.score) as q
    from points p group by p.kind, p.region, p.dimension
)
select c.kind, c.region, c.dimension, case when c.n >= 5 then c.n end,
    case when c.n >= 5 then c.q[1] end, case when c.n >= 5 then c.q[2] end, case when c.n >= 5 then c.q[3] end
from cells c order by c.kind, c.region, c.dimension
$$;

-- +goose Down
create or replace function diagnosis.figures(wanted text)
    returns table (kind text, region text, dimension text, organisations int, low float8, median float8, high float8)
    language sql stable security definer set search_path = pg_catalog as $$
with last as (
    select distinct on (r.organisation) r.kind, r.region, r.score, r.dimensions from diagnosis.run r
    where r.code = wanted and r.state = 'finished' and platform.role() in ('operator', 'system')
    order by r.organisation, r.finished_at desc, r.id desc
), points as (
    select l.kind, l.region, '' as dimension, l.score from last l
    union all
    select l.kind, l.region, d ->> 'code', (d ->> 'score')::int from last l, jsonb_array_elements(l.dimensions) d where d ->> 'score' is not null
)
select p.kind, p.region, p.dimension,
    case when count(*) >= 5 then count(*)::int end,
    case when count(*) >= 5 then percentile_cont(0.25) within group (order by p.score) end,
    case when count(*) >= 5 then percentile_cont(0.5) within group (order by p.score) end,
    case when count(*) >= 5 then percentile_cont(0.75) within group (order by p.score) end
from points p group by p.kind, p.region, p.dimension order by p.kind, p.region, p.dimension
$$;
