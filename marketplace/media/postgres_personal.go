package media

import "tiwiza/pkg/personal"

// Personal is what somebody uploaded: pictures and papers. Nothing uses them any more
// once it is forgotten; their contents are gone within a day.
func (s *Service) Personal() personal.Holder {
	return personal.Room{
		Called: "media",
		Tables: []personal.Table{
			{Name: "media.use", Erase: []string{`delete from media.use u using media.file f where f.id = u.file and f.owner = any($1)`}},
			{
				Name:  "media.file",
				Show:  `select jsonb_build_object('id', id, 'kind', kind, 'type', type, 'name', name, 'bytes', size, 'at', created_at) from media.file where owner = any($1) order by id`,
				Erase: []string{`update media.file set state = 'dropped', name = '', seen_at = platform.now() where owner = any($1) and (state <> 'dropped' or name <> '')`},
			},
		},
	}
}
