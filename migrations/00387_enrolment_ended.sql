-- Papers of an application that was ended before anybody was admitted serve nobody:
-- they say nothing any more when their time is over.

-- +goose Up
alter table enrolment.paper add ended_at timestamptz; -- when its application was withdrawn or ended, never admitted
grant update (ended_at) on enrolment.paper to hub_app;
create index paper_ended on enrolment.paper (ended_at, id) where ended_at is not null and value <> '—';

-- forget_ended empties those whose application ended before a moment, at most so many,
-- and says which.
-- +goose StatementBegin
create function enrolment.forget_ended(before timestamptz, most int) returns setof text language sql volatile security definer set search_path = pg_catalog as $$
    update enrolment.paper set value = '—', sealed = null, hint = '', file = ''
    where id in (select p.id from enrolment.paper p where p.ended_at < before and p.value <> '—' order by p.ended_at, p.id limit most)
    returning id
$$;
-- +goose StatementEnd
revoke all on function enrolment.forget_ended from public;
grant execute on function enrolment.forget_ended to hub_app;

-- +goose Down
drop function enrolment.forget_ended;
drop index enrolment.paper_ended;
alter table enrolment.paper drop ended_at;
