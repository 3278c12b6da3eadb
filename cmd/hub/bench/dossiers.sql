-- 100,000 members, of whom 1,000 ask for admission in each region.
insert into members.organisation (id, kind, names, region, commune, lat, lng, state, asked_at, created_at)
select 'org_' || lpad(n::text, 26, '0'), 'beneficiary_coop', '{"fr":"Exemple"}', 'MA-' || lpad((1 + n % 12)::text, 2, '0'), 'Rabat', 34, -6,
    case when n <= 12000 then 'submitted' else 'active' end, platform.now() - n * interval '1 second', platform.now()
from generate_series(1, 100000) n;
