-- How a name looks: names that people take for each other look the same. After the
-- skeletons of Unicode Technical Standard 39, section 4, for the alphabets in which
-- members are named, Latin, Arabic and Tifinagh; besides, capitals, accents, vowel
-- signs, hamza, joining strokes, spaces and punctuation make no difference, and the
-- Arabic letters that keyboards and spellings mix up are one (the same that
-- pkg/geo takes for one). It only tells people who decide; it refuses nobody.

-- +goose Up
-- +goose StatementBegin
create function members.look(name text) returns text language sql immutable strict parallel safe as $$
    select regexp_replace(replace(replace(replace(replace(
        translate(lower(regexp_replace(normalize(name, NFKD), '[\u0300-\u036f\u0610-\u061a\u0621\u0640\u064b-\u065f\u0670\u06d6-\u06ed]', '', 'g')),
            'iıǀ|1١۱ⵏłŁ' || '0٠۰ⵔøØ' || 'ⵝⵕⴹⴸđĐðÐħĦŧŦɑɡ' || 'ىیې' || 'کڭگݣڪ' || 'ةہەھ' || 'ٱڤڨ' || '٢٣٤٥٦٧٨٩' || '۲۳۴۵۶۷۸۹',
            'llllllllll' || 'oooooo' || 'xqevddddhhttag' || 'ييي' || 'ككككك' || 'هههه' || 'افق' || '23456789' || '23456789'),
        'Œ', 'oe'), 'œ', 'oe'), 'rn', 'm'), 'vv', 'w'),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u060c\u061b-\u061f\u2000-\u206f]', '', 'g')
$$;

-- Names of less than three letters look like too many others. It costs so much that
-- it is asked of the index.
create function members.looks(names jsonb) returns text[] language sql immutable strict parallel safe cost 10000 as $$
    select coalesce(array_agg(distinct l.look), '{}') from jsonb_each_text(names) n, lateral (select members.look(n.value) as look) l where length(l.look) > 2
$$;
-- +goose StatementEnd

create index organisation_looks on members.organisation using gin (members.looks(names)) where state in ('active', 'suspended');

-- +goose Down
drop index members.organisation_looks;
drop function members.looks(jsonb);
drop function members.look(text);
