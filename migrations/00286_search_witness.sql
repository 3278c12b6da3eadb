-- To know whether some document has a word, its index was read to the end: of a
-- million offers, a common word's is long. Each word now names one document that
-- has it, and only when that is gone the index is asked.

-- +goose Up
alter table search.word add witness text not null default '';
grant update (witness) on search.word to hub_app;

-- +goose Down
revoke update (witness) on search.word from hub_app;
alter table search.word drop witness;
