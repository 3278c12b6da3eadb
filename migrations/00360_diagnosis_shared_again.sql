-- A result that its owner took out of the dossier may be put there again, as a new
-- item: what stands there is told by the item, not by the run.

-- +goose Up
alter table diagnosis.shared drop constraint shared_pkey, drop constraint shared_item_version_key, add primary key (item, version);
create index shared_run on diagnosis.shared (run, shared_at desc);
drop index diagnosis.shared_last;
create index shared_last on diagnosis.shared (organisation, code, shared_at desc);

-- +goose Down
drop index diagnosis.shared_last;
create index shared_last on diagnosis.shared (organisation, code, finished_at desc);
drop index diagnosis.shared_run;
alter table diagnosis.shared drop constraint shared_pkey, add primary key (run), add unique (item, version);
