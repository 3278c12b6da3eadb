-- Papers that were refused say nothing any more when their time is over. The hub may
-- change what a paper says in no other way.

-- +goose Up
create index paper_refused on enrolment.paper (decided_at, id) where state = 'rejected' and value <> '—';

-- forget_refused empties those that were refused before a moment, at most so many, and
-- says which.
-- +goose StatementBegin
create function enrolment.forget_refused(before timestamptz, most int) returns setof text language sql volatile security definer set search_path = pg_catalog as $$
    update enrolment.paper set value = '—', sealed = null, hint = '', file = ''
    where id in (select p.id from enrolment.paper p where p.state = 'rejected' and p.decided_at < before and p.value <> '—' order by p.decided_at, p.id limit most)
    returning id
$$;
-- +goose StatementEnd
revoke all on function enrolment.forget_refused from public;
grant execute on function enrolment.forget_refused to hub_app;

-- +goose Down
drop function enrolment.forget_refused;
drop index enrolment.paper_refused;
