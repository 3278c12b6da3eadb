-- Who is at work, for policies that show rows to those alone whom they concern: it is
-- what each unit of work says it is (platform.enter). Where nobody says so, nobody is.

-- +goose Up
-- role is what whoever is at work does on the platform: system, operator, seller …
create function platform.role() returns text language sql stable parallel safe
    return split_part(platform.principal(), ' ', 1);

-- subject is the person or organisation that is at work; null when there is none,
-- and null owns nothing.
create function platform.subject() returns text language sql stable parallel safe
    return nullif(split_part(split_part(platform.principal(), ' ', 2), '/', 1), '');

-- +goose Down
drop function platform.subject();
drop function platform.role();
