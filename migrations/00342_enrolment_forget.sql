-- Papers that were refused say nothing any more when their time is over.

-- +goose Up
create index paper_refused on enrolment.paper (decided_at, id) where state = 'rejected' and value <> '—';
grant update (file, value, sealed, hint) on enrolment.paper to hub_app;

-- +goose Down
revoke update (file, value, sealed, hint) on enrolment.paper from hub_app;
drop index enrolment.paper_refused;
