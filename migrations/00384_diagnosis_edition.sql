-- Figures are of one edition of a questionnaire: what others asked is not counted with it.

-- +goose Up
drop function diagnosis.figures(text);
create function diagnosis.figures(wanted text, of_edition int)
    returns table (kind text, region text, dimension text, organisations int, low float8, median float8, high float8)
    language sql stable security definer set search_path = pg_catalog as $$
with last as (
    select distinct on (r.organisation) r.kind, r.region, r.score, r.dimensions from diagnosis.run r
    where r.code = wanted and r.edition = of_edition and r.state = 'finished' and platform.role() in ('operator', 'system')
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
revoke execute on function diagnosis.figures(text, int) from public;
grant execute on function diagnosis.figures(text, int) to hub_app;

-- +goose Down
drop function diagnosis.figures(text, int);
create function diagnosis.figures(wanted text)
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
revoke execute on function diagnosis.figures(text) from public;
grant execute on function diagnosis.figures(text) to hub_app;
