package privacy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"tiwiza/marketplace/privacy"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// naming are columns that say who somebody is, what it said, or what it did. Whoever
// adds a table with one of these names writes into the register what it is for, and
// what becomes of it when somebody is forgotten.
var naming = regexp.MustCompile(`^(person|buyer|phone|email|address|contact|payer|holder|rib|signer|actor|by|.*_by|officer|human|sender|device|owner|member|agent|organiser|guest|acts_for|answers|behind|said|raw|query|applicant|names|text|body|key_holder|cin)$`)

func TestEachTableThatNamesSomebodyIsInTheRegister(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	type column struct{ Tbl, Col string }
	all, err := pg.All[column](t.Context(), db, `select n.nspname || '.' || c.relname as tbl, a.attname as col from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname not in ('pg_catalog', 'information_schema', 'river', 'public') order by 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	known, there := map[string]bool{}, map[string]bool{}
	for _, p := range privacy.TheRegister().Processings {
		for _, x := range p.Tables {
			if known[x.Name] {
				t.Errorf("%s stands twice in the register", x.Name)
			}
			known[x.Name] = true
		}
	}
	for _, c := range all {
		there[c.Tbl] = true
		if naming.MatchString(c.Col) && !known[c.Tbl] {
			t.Errorf("%s has a column %s and is not in marketplace/privacy/register.json: say which processing it belongs to, and what becomes of it when somebody is forgotten", c.Tbl, c.Col)
		}
	}
	for name := range known {
		if !there[name] {
			t.Errorf("the register names %s, which is no table", name)
		}
	}
}

func TestTheRegisterSaysAllOfItInThreeLanguages(t *testing.T) {
	t.Parallel()
	r := privacy.TheRegister()
	full := func(at string, x privacy.Texts) {
		for _, lang := range []string{"fr", "ar", "en"} {
			if strings.TrimSpace(x[lang]) == "" {
				t.Errorf("%s says nothing in %s", at, lang)
			}
		}
	}
	for _, all := range []map[string]privacy.Texts{r.Grounds, r.Measures, r.Kept} {
		for code, x := range all {
			full(code, x)
		}
	}
	codes := map[string]bool{}
	for _, p := range r.Processings {
		if codes[p.Code] {
			t.Errorf("%s stands twice", p.Code)
		}
		codes[p.Code] = true
		full(p.Code+" purpose", p.Purpose)
		full(p.Code+" people", p.People)
		full(p.Code+" data", p.Data)
		full(p.Code+" recipients", p.Recipients)
		full(p.Code+" retention", p.Retention.Says)
		full(p.Code+" ground", r.Grounds[p.Ground])
		if p.Abroad != nil {
			full(p.Code+" to", p.Abroad.To)
			full(p.Code+" by", p.Abroad.Ground)
		}
		if len(p.Tables) == 0 || len(p.Measures) == 0 {
			t.Errorf("%s has %d tables and %d measures", p.Code, len(p.Tables), len(p.Measures))
		}
		for _, m := range p.Measures {
			full(p.Code+" "+m, r.Measures[m])
		}
		for _, x := range p.Tables {
			if !slices.Contains([]string{"deleted", "emptied", "kept"}, x.After) || (x.After == "kept") != (x.Why != "") {
				t.Errorf("%s: %+v", p.Code, x)
			}
			if x.Why != "" {
				full(x.Name+" kept", r.Kept[x.Why])
			}
		}
	}
	if r.Version < 1 || r.AnswerDays < 1 || r.ExportDays < 1 || r.CoolingOffDays < 1 {
		t.Errorf("the register has the periods %d, %d, %d in version %d", r.AnswerDays, r.ExportDays, r.CoolingOffDays, r.Version)
	}
}

func TestANumberIsOfAProcessingThatThereIs(t *testing.T) {
	t.Parallel()
	if err := (privacy.Numbers{"orders": "D-EX-1", "all": "D-EX-2"}).Check(); err != nil {
		t.Error(err)
	}
	if err := (privacy.Numbers{"moon": "D-EX-1"}).Check(); err == nil {
		t.Error("a number of no processing was taken")
	}
	missing := privacy.Numbers{"all": "D-EX-2"}.Missing()
	for _, p := range privacy.TheRegister().Processings {
		if slices.Contains(missing, p.Code) != p.Prior {
			t.Errorf("%s needs an authorisation of its own: %t, and is missing one: %t", p.Code, p.Prior, slices.Contains(missing, p.Code))
		}
	}
}
