package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tiwiza/pkg/pg"
)

func TestPhotographsComeInTheWidthThatFits(t *testing.T) {
	t.Parallel()
	h, db := open(t)
	list, _ := get(t, h, "/", http.StatusOK)
	offer := offerLink.FindStringSubmatch(list)[1]
	if n := strings.Count(list, `loading="lazy"`); n != strings.Count(list, "<img ")-6 {
		t.Errorf("%d of %d pictures wait until they are seen", n, strings.Count(list, "<img "))
	}
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into catalog.picture (offer, file, place, alt, width, height) values
			($1, 'med_1', 1, '{"fr":"Un \"tapis\" & <b>","ar":"زربية"}', 3000, 4000), ($1, 'med_2', 2, '{}', 300, 200)`, strings.TrimPrefix(offer, "/p/"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const set = `srcset="/v1/pictures/med_1/160.jpg 160w, /v1/pictures/med_1/320.jpg 320w, /v1/pictures/med_1/640.jpg 640w, /v1/pictures/med_1/960.jpg 960w"`
	const first = `src="/v1/pictures/med_1/640.jpg" ` + set
	one, _ := get(t, h, offer, http.StatusOK)
	contains(t, offer, one, first+` sizes="(min-width:48rem) 50vw, 100vw" alt="Un &#34;tapis&#34; &amp; &lt;b&gt;" width="960" height="1280" fetchpriority="high">`,
		`srcset="/v1/pictures/med_2/160.jpg 160w, /v1/pictures/med_2/320.jpg 300w"`, `alt="" width="300" height="200" loading="lazy">`)
	if regexp.MustCompile(`<figcaption>`).MatchString(one) {
		t.Error("a photograph is called a drawing")
	}
	ar, _ := get(t, h, "/ar"+offer, http.StatusOK)
	contains(t, offer, ar, `alt="زربية"`)
	list, _ = get(t, h, "/", http.StatusOK)
	contains(t, "/", list, first+` sizes="(min-width:48rem) 13rem, 45vw"`)
}

func TestAnOfferWithoutAPictureSaysSo(t *testing.T) {
	t.Parallel()
	h, db := open(t)
	list, _ := get(t, h, "/", http.StatusOK)
	offer := offerLink.FindStringSubmatch(list)[1]
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`update catalog.offer set image = '' where id = $1`, strings.TrimPrefix(offer, "/p/"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const none = `<figcaption>%s</figcaption>`
	for path, said := range map[string]string{"/": "Pas encore de photo", offer: "Pas encore de photo", "/ar" + offer: "لا توجد صورة بعد"} {
		page, _ := get(t, h, path, http.StatusOK)
		contains(t, path, page, fmt.Sprintf(none, said))
	}
}
