-- What the cells of an import's categories are taken for, where they are no names of
-- categories, so that its seller may say what is meant.

-- +goose Up
alter table catalog.import add words jsonb not null default '[]' check (jsonb_typeof(words) = 'array' and jsonb_array_length(words) <= 200);

-- +goose Down
alter table catalog.import drop words;
