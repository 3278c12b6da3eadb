-- Files that are sold.

-- +goose Up
alter table media.file drop constraint file_kind_check;
alter table media.file add constraint file_kind_check check (kind in ('picture', 'sound', 'proof', 'sheet', 'ware'));

-- +goose Down
alter table media.file drop constraint file_kind_check;
update media.file set kind = 'proof' where kind = 'ware';
alter table media.file add constraint file_kind_check check (kind in ('picture', 'sound', 'proof', 'sheet'));
