package main

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestBadInputIsRefused tries what people try who mean no good, each by its name, at
// two hubs on one database, and looks that the market goes on.
func TestBadInputIsRefused(t *testing.T) {
	t.Parallel()
	one := newRig(t)
	two := one.second(t)
	t.Run("tried", func(t *testing.T) {
		for name, try := range map[string]func(*testing.T, *rig, *rig){
			"a forged invitation, and one that was used":        triesInvitations,
			"an oversized file":                                 triesLarge,
			"an SVG with a script, and a page called .pdf":      triesDisguised,
			"a photograph with a page and a program behind it":  triesPolyglot,
			"a picture of four billion pixels":                  triesPixels,
			"a workbook that unpacks to gigabytes":              triesBombs,
			"a workbook whose XML expands, or never ends":       triesXML,
			"signs that turn around, and signs that nobody see": triesHidden,
			"letters of another alphabet, and names alike":      triesLookalikes,
			"an address of a document that nobody made":         triesDocuments,
			"a link to a case of another's":                     triesCases,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				try(t, one, two)
			})
		}
	})
	t.Run("a code, guessed forty times at both hubs", func(t *testing.T) { triesCodes(t, one, two) }) // then nobody signs in from here for a while
	t.Run("a link and a code whose time is over", func(t *testing.T) { triesExpired(t, one) })
	one.verify(t)
}

func triesInvitations(t *testing.T, r, two *rig) {
	const phone, other = "+212600077401", "+212600077402"
	s := r.seller(t)
	token, _ := r.person(t, phone)
	stranger, _ := r.person(t, other)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/organisations/" + s.org + "/members", body: map[string]string{"phone": phone, "role": "member"}}).into(t, nil)
	var box struct {
		Data []struct{ Params map[string]string }
	}
	r.ask(t, req{method: "GET", path: "/v1/demo/inbox?limit=1&address=" + url.QueryEscape(phone)}).into(t, &box)
	real := box.Data[0].Params["token"]
	at := func(secret string) string { return "/v1/invitations/" + secret + "/accept" }
	for _, forged := range []string{strings.Repeat("A", len(real)), real[:len(real)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(real, "A")], strings.ToLower(real) + "x", real + real} {
		for _, hub := range []*rig{r, two} {
			if a := hub.ask(t, req{key: token, method: "POST", path: at(url.PathEscape(forged))}); a.status < 400 || a.status > 422 {
				t.Errorf("forged as %s it answers %d", forged, a.status)
			}
		}
	}
	r.ask(t, req{key: stranger, method: "POST", path: at(real)}).refused(t, 404, "invitations.not_found")
	var once atomic.Int32
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			if []*rig{r, two}[i%2].ask(t, req{key: token, method: "POST", path: at(real)}).status == 200 {
				once.Add(1)
			}
		})
	}
	all.Wait()
	if got := once.Load(); got != 1 {
		t.Errorf("accepted ten times at once it is taken %d times", got)
	}
	two.ask(t, req{key: token, method: "POST", path: at(real)}).refused(t, 404, "invitations.not_found")
}

// triesCodes guesses: what one person may try is counted in the database, so that a
// second hub gives no more.
func triesCodes(t *testing.T, r, two *rig) {
	const phone = "+212600077403"
	var s signing
	r.ask(t, req{method: "POST", path: "/v1/sign-in/codes", body: map[string]string{"phone": phone}}).into(t, &s)
	right := r.codeFor(t, phone)
	var compared, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		guess := fmt.Sprintf("%06d", 100_000+7*i)
		if guess == right {
			guess = "000001"
		}
		all.Go(func() {
			a := []*rig{r, two}[i%2].ask(t, req{method: "POST", path: "/v1/sign-in/sessions", body: map[string]string{"phone": phone, "handle": s.Handle, "code": guess}})
			switch {
			case a.status == 422 && a.Code == "sign_in.code":
				compared.Add(1)
			case a.status == 429:
				refused.Add(1)
			default:
				t.Errorf("a guess is answered %d %s", a.status, a.Code)
			}
		})
	}
	all.Wait()
	if got := compared.Load(); got > 5 || got+refused.Load() != 40 {
		t.Errorf("%d of forty guesses were compared, and %d refused; want five at most", got, refused.Load())
	}
	two.ask(t, req{method: "POST", path: "/v1/sign-in/sessions", body: map[string]string{"phone": phone, "handle": s.Handle, "code": right}}).refused(t, 429, "sign_in.tries")
}

func triesLarge(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	w := r.ware(t, s, 1, "10.00")
	big := strings.Repeat("x", 13<<20)
	for path, media := range map[string]string{"/v1/offers/" + w.offer + "/images": "image/jpeg", "/v1/files?kind=proof": "application/pdf", "/v1/files?kind=sound": "audio/mpeg"} {
		r.ask(t, req{key: s.key, method: "POST", path: path, body: big, media: media, idem: once()}).refused(t, 413, "request.too_large")
	}
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers", body: `{"names":{"fr":"` + big + `"}}`, idem: once()}).refused(t, 413, "request.too_large")
	r.ask(t, req{method: "GET", path: "/v1/offers?q=" + strings.Repeat("x", 4000)}).refused(t, 422, "request.invalid")
}

func triesDisguised(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	images := "/v1/offers/" + r.ware(t, s, 1, "10.00").offer + "/images"
	const svg = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>`
	const page = `<!DOCTYPE html><html><body><script>alert(document.cookie)</script></body></html>`
	for _, body := range []string{svg, page, "GIF89a/*" + page + "*/=1;", "\xff\xd8\xff" + page} {
		for _, media := range []string{"image/jpeg", "image/png"} {
			if a := r.ask(t, req{key: s.key, method: "POST", path: images, body: body, media: media}); a.status != 422 || !strings.HasPrefix(a.Code, "picture.") {
				t.Errorf("%.20q sent as %s answers %d %s", body, media, a.status, a.Code)
			}
		}
	}
	r.ask(t, req{key: s.key, method: "POST", path: images, body: svg, media: "image/svg+xml"}).refused(t, 415, "request.media_type")
	r.ask(t, req{key: s.key, method: "POST", path: images, body: page, media: "text/html"}).refused(t, 415, "request.media_type")
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"facture.pdf\"\r\nContent-Type: application/pdf\r\n\r\n" + page + "\r\n--b--\r\n"
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: form, media: "multipart/form-data; boundary=b"}).refused(t, 422, "media.not_a_proof")
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: page, media: "application/pdf"}).refused(t, 422, "media.not_a_proof")
}

// harmless says whether a file that was kept can do nothing where it is opened: it
// is not taken for anything else, and runs nothing.
func harmless(t *testing.T, a answer, kind string) {
	t.Helper()
	h := a.header
	if a.status != 200 || h.Get("Content-Type") != kind || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s answers %d with %v", a.what, a.status, h)
	}
}

func triesPolyglot(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	w := r.ware(t, s, 1, "10.00")
	const evil = "<html><script>alert(1)</script></html>"
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	f, err := z.Create("evil.js")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "alert(1)")
	z.Close()
	photo := photograph(t)
	comment := append([]byte{0xff, 0xfe, 0, byte(len(evil) + 2)}, evil...)
	for name, body := range map[string][]byte{
		"a page behind":    append(slices.Clone(photo), evil...),
		"a ZIP behind":     append(slices.Clone(photo), packed.Bytes()...),
		"a page in a note": slices.Concat(photo[:2], comment, photo[2:]),
		"a script in both": slices.Concat(photo[:2], []byte{0xff, 0xfe, 0, 12}, []byte("*/=alert()"), photo[2:], []byte("/*"), packed.Bytes()),
	} {
		var v struct{ Sizes []struct{ URL string } }
		r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers/" + w.offer + "/images", body: body, media: "image/jpeg"}).into(t, &v)
		for _, size := range v.Sizes {
			a := r.ask(t, req{method: "GET", path: size.URL})
			harmless(t, a, "image/jpeg")
			if bytes.Contains(a.body, []byte("alert")) || bytes.Contains(a.body, []byte("PK\x03\x04")) {
				t.Errorf("%s: what was hidden in it is served", name)
			}
			if _, err := jpeg.Decode(bytes.NewReader(a.body)); err != nil || !bytes.HasSuffix(a.body, []byte{0xff, 0xd9}) {
				t.Errorf("%s: what is served is no photograph alone: %v", name, err)
			}
		}
		var p struct{ ID string }
		r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: body, media: "image/jpeg"}).into(t, &p)
		a := r.ask(t, req{key: s.key, method: "GET", path: "/v1/files/" + p.ID + "/content"})
		if harmless(t, a, "image/jpeg"); bytes.Contains(a.body, []byte("alert")) || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: the paper is served with what was hidden in it, or in the page", name)
		}
	}
	// A PDF stays what it is: it is handed out to be saved, and opens in no page.
	var p struct{ ID string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n" + evil + once() + "\n%%EOF\n", media: "application/pdf"}).into(t, &p)
	a := r.ask(t, req{key: s.key, method: "GET", path: "/v1/files/" + p.ID + "/content"})
	if harmless(t, a, "application/pdf"); !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("a PDF with a page in it is shown in place: %v", a.header)
	}
}

func triesPixels(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	images := "/v1/offers/" + r.ware(t, s, 1, "10.00").offer + "/images"
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		b.Write(body)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	chunk("IHDR", []byte{0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 8, 6, 0, 0, 0})
	var rows bytes.Buffer
	z := zlib.NewWriter(&rows)
	blank := make([]byte, 1<<20)
	for range 32 {
		if _, err := z.Write(blank); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	chunk("IDAT", rows.Bytes())
	chunk("IEND", nil)
	r.ask(t, req{key: s.key, method: "POST", path: images, body: b.Bytes(), media: "image/png"}).refused(t, 422, "picture.too_many_pixels")
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=proof", body: b.Bytes(), media: "image/png"}).refused(t, 422, "picture.too_many_pixels")
}

// book is a workbook with these parts, each of which writes itself.
func book(t *testing.T, parts map[string]func(write func(string))) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, fill := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fill(func(s string) {
			if _, err := w.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plainly are the parts that a workbook has besides its sheet.
func plainly(sheet func(write func(string))) map[string]func(func(string)) {
	text := func(s string) func(func(string)) { return func(write func(string)) { write(s) } }
	return map[string]func(func(string)){
		"[Content_Types].xml":        text(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`),
		"_rels/.rels":                text(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`),
		"xl/workbook.xml":            text(`<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>`),
		"xl/_rels/workbook.xml.rels": text(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`),
		"xl/worksheets/sheet1.xml":   sheet,
	}
}

// refusesBook sends a workbook that cannot be taken in, and looks that it is refused
// in a sentence, at both doors.
func refusesBook(t *testing.T, r *rig, s *shop, what string, file []byte) {
	t.Helper()
	a := r.ask(t, req{key: s.key, method: "POST", path: "/v1/imports?dry_run=true", body: file, media: workbook, idem: once()})
	if a.status != 422 && a.status != 400 || a.Detail == "" {
		t.Errorf("%s of %d KB is answered %d: %.500s", what, len(file)>>10, a.status, a.body)
	}
}

func triesBombs(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	blank := strings.Repeat(" ", 1<<20)
	bomb := book(t, plainly(func(write func(string)) {
		write(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
		for range 1100 { // more than a gigabyte
			write(blank)
		}
		write(`</sheetData></worksheet>`)
	}))
	refusesBook(t, r, s, "a bomb", bomb)
	refusesBook(t, r, s, "a bomb in a bomb", book(t, map[string]func(func(string)){"xl/workbook.xml": func(write func(string)) { write(string(bomb)) }}))
}

func triesXML(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	laughs := "<!DOCTYPE x [<!ENTITY a \"" + strings.Repeat("ha", 100) + "\">"
	for c := 'b'; c < 'l'; c++ {
		laughs += fmt.Sprintf("<!ENTITY %c %q>", c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
	}
	laughs += "]>"
	const open = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	for what, sheet := range map[string]func(func(string)){
		"an entity that expands": func(write func(string)) {
			write(laughs + open + `<row r="1"><c r="A1" t="inlineStr"><is><t>&k;</t></is></c></row></sheetData></worksheet>`)
		},
		"an entity from elsewhere": func(write func(string)) {
			write(`<!DOCTYPE x [<!ENTITY k SYSTEM "file:///etc/passwd">]>` + open + `<row r="1"><c r="A1" t="inlineStr"><is><t>&k;</t></is></c></row></sheetData></worksheet>`)
		},
		"a nest without end": func(write func(string)) {
			write(open)
			for range 1000 {
				write(strings.Repeat("<row><c><is>", 200))
			}
		},
	} {
		refusesBook(t, r, s, what, book(t, plainly(sheet)))
	}
}

// triesHidden writes signs that nobody sees wherever people write: each room names
// the place, and keeps nothing.
func triesHidden(t *testing.T, r, _ *rig) {
	s := r.seller(t)
	w := r.ware(t, s, 5, "20.00")
	buyer := r.buyer(t)
	basket := r.basket(t, buyer, map[string]int{w.variant: 1})
	quote := r.quote(t, buyer, basket)
	sale, at := r.accepted(t, w, s)
	checkout := func(part, field, text string) map[string]any {
		body := ordering(basket, quote)
		body[part].(map[string]any)[field] = text
		return body
	}
	for _, sign := range []string{"\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\u202d", "\U000e0041"} {
		text := "Exemple " + sign + "fdp.exe"
		for _, c := range []struct {
			key, method, path, pointer string
			body                       any
		}{
			{r.operator(), "POST", "/v1/organisations", "/names/fr", map[string]any{"kind": "beneficiary_coop", "names": map[string]string{"fr": text}, "region": "MA-09", "commune": "Taroudant"}},
			{s.key, "POST", "/v1/offers", "/names/fr", map[string]any{"category": "oils", "names": map[string]string{"fr": text}, "region": "MA-09", "variants": []any{map[string]any{"sku": "S", "price": dirhams("1.00")}}}},
			{s.key, "PUT", "/v1/organisations/" + s.org + "/directory-fields/contact", "/value", map[string]any{"value": text, "shown": "public"}},
			{s.key, "POST", "/v1/labels", "/issuer", map[string]any{"code": "EXEMPLE", "issuer": text, "number": "1", "scope": "organisation", "valid_from": "2026-01-01"}},
			{buyer, "POST", "/v1/checkouts", "/contact/name", checkout("contact", "name", text)},
			{buyer, "POST", "/v1/checkouts", "/delivery/address", checkout("delivery", "address", text)},
			{sale.buyer, "POST", at + "/disputes", "/text", map[string]any{"reason": "not_received", "wish": "refund", "text": text}},
			{s.key, "POST", at + "/cancel", "/reason", map[string]any{"reason": text}},
		} {
			r.ask(t, req{key: c.key, method: c.method, path: c.path, body: c.body, idem: once()}).refused(t, 422, "request.invalid", c.pointer)
		}
	}
	if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.State != "accepted" {
		t.Errorf("the order is %s", o.State)
	}
	// A page drops what came along with what was pasted.
	const phone = "+212600077404"
	token, _ := r.person(t, phone)
	r.hires(t, s, token, phone, "manager")
	r.ask(t, req{key: token, method: "PUT", path: "/v1/sessions/desk", body: map[string]string{"organisation": s.org}}).into(t, nil)
	b := &browser{rig: r, token: token}
	b.send(t, b.open(t, "/v/annuaire/contact"), `name="valeur"`, url.Values{"valeur": {"\u2068Fatima\u2069\u200b (exemple)"}, "montre": {"public"}}, "Fatima (exemple)")
}

func triesLookalikes(t *testing.T, r, _ *rig) {
	word := once()[:6]
	asks := func(name string) answer {
		return r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations", body: map[string]any{"kind": "beneficiary_coop", "names": map[string]string{"fr": name}, "region": "MA-09", "commune": "Taroudant"}})
	}
	for _, name := range []string{"Соореrative " + word, "Cοopérative " + word, "Coopتعاونية", "ⵜiwiza", "Coopérative ① 合作社"} {
		if a := asks(name); a.status != 422 || !strings.Contains(string(a.body), "/names/fr") {
			t.Errorf("%+q is answered %d %s", name, a.status, a.body)
		}
	}
	var here, later struct{ ID string }
	asks("Coopérative Amal "+word+" (exemple)").into(t, &here)
	for _, move := range []string{"submit", "approve"} {
		r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations/" + here.ID + "/" + move}).into(t, nil)
	}
	asks("COOPERATIVE ARNAL "+word+" exemple").into(t, &later)
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/organisations/" + later.ID + "/submit"}).into(t, nil)
	if got := r.shows(t, r.operator(), "/v1/organisations/"+later.ID+"/lookalikes"); !strings.Contains(got, here.ID) {
		t.Errorf("it looks like %s", got)
	}
	desk := r.atDesk(t, r.keys.Operator.Phone)
	desk.open(t, "/op/entites/"+later.ID, "Ressemble à un membre", "/op/entites/"+here.ID)
	if page := desk.open(t, "/op/entites/"+here.ID); strings.Contains(page, "Ressemble à un membre") {
		t.Error("a member that is there looks like somebody who is not")
	}
	r.ask(t, req{key: r.keys.Sellers[0].APIKey, method: "GET", path: "/v1/organisations/" + later.ID + "/lookalikes"}).refused(t, 403, "auth.denied")
}

// triesDocuments reads addresses of documents that nobody made: they are unknown in
// the same words and with the same status as any.
func triesDocuments(t *testing.T, r, two *rig) {
	stranger := &browser{rig: two}
	for _, token := range []string{strings.Repeat("A", 22), "x", strings.Repeat("%20", 30), "' or 1=1 --", "..%2f..%2fetc"} {
		token = strings.ReplaceAll(token, " ", "%20")
		if got := r.shows(t, "", "/v1/verifications/"+token); !strings.Contains(got, `"state":"unknown"`) {
			t.Errorf("%s is %s", token, got)
		}
		stranger.open(t, "/verifier/"+token, "Inconnu", "Aucun document n’a ce code.")
	}
	stranger.open(t, "/ar/verifier/"+strings.Repeat("B", 22), `dir="rtl"`)
}

// triesCases opens pages of a case with the links that its own people have: to whom it
// does not concern it is not there, and nothing that such a page would send is done.
func triesCases(t *testing.T, r, two *rig) {
	s, other := r.seller(t), r.seller(t)
	office := r.keys.Institutions[0]
	c := r.files(t, s.key, r.offersProcedure(t, office.APIKey, ofProcedure(lettered())))
	r.moves(t, s.key, c.ID, "papers", map[string]string{"code": "samples", "file": r.sendsIn(t, s.key)})
	r.moves(t, s.key, c.ID, "submit", nothing)
	own, stranger, officer := r.seated(t, "+212600077411", s.org), r.seated(t, "+212600077412", other.org), r.seated(t, "+212600077413", r.keys.Institutions[1].Organisation)
	own.open(t, "/v/demarches/"+c.ID, "Démarche (exemple)")
	for _, link := range []struct {
		by   *browser
		path string
	}{{stranger, "/v/demarches/" + c.ID}, {stranger, "/ar/v/demarches/" + c.ID}, {officer, "/i/" + c.ID}, {officer, "/i/" + c.ID + "/p/samples"}, {stranger, "/i/" + c.ID}, {&browser{rig: two}, "/v/demarches/" + c.ID}} {
		status, body, _ := link.by.do(t, "GET", link.path, nil)
		if status < 300 || status >= 500 || strings.Contains(body, "Démarche (exemple)") || strings.Contains(body, "%PDF") {
			t.Errorf("%s is answered %d: %.300s", link.path, status, inside(body))
		}
	}
	if status, _, _ := stranger.do(t, "POST", "/v/demarches/"+c.ID, url.Values{"mot": {"withdraw"}}); status < 400 || status >= 500 {
		t.Errorf("what its page would send is answered %d to another", status)
	}
	if got := r.shows(t, s.key, "/v1/cases/"+c.ID); !strings.Contains(got, `"submitted"`) {
		t.Errorf("the case is %s", got)
	}
}

// triesExpired uses a courier's link and a delivery code after their time. It moves
// the clock, so it comes last.
func triesExpired(t *testing.T, r *rig) {
	s := r.seller(t)
	w := r.ware(t, s, 5, "20.00")
	sale, at := r.accepted(t, w, s)
	shipment := r.packs(t, s, at)
	var link struct{ Secret string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/shipments/" + shipment + "/courier-links"}).into(t, &link)
	key := "lnk." + link.Secret
	r.ask(t, req{key: key, method: "GET", path: "/v1/courier"}).into(t, nil)
	code := r.orderOf(t, sale.buyer, sale.Orders[0].ID).Delivery.Code
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/receive", idem: once()}).into(t, nil)
	if a := r.ask(t, req{key: s.key, method: "POST", path: at + "/deliver", body: map[string]string{"code": code}, idem: once()}); a.status != 409 {
		t.Errorf("the code of what was received already is answered %d %s", a.status, a.body)
	}
	next, there := r.accepted(t, w, s)
	r.ask(t, req{key: s.key, method: "POST", path: there + "/deliver", body: map[string]string{"code": code}, idem: once()}).refused(t, 409, "orders.state")
	r.packs(t, s, there)
	if right := r.orderOf(t, next.buyer, next.Orders[0].ID).Delivery.Code; right != code {
		r.ask(t, req{key: s.key, method: "POST", path: there + "/deliver", body: map[string]string{"code": code}, idem: once()}).refused(t, 422, "orders.wrong_code", "/code")
	}
	p := r.offersProcedure(t, r.keys.Institutions[0].APIKey, ofProcedure(lettered(), map[string]any{"papers": []any{}, "document": map[string]any{"prefix": "EX", "months": 1, "texts": inThree("{holder} {number}"), "public": []string{"holder"}}}))
	c := r.files(t, s.key, p)
	r.moves(t, s.key, c.ID, "submit", nothing)
	r.moves(t, r.keys.Institutions[0].APIKey, c.ID, "examine", nothing)
	r.moves(t, r.keys.Institutions[0].APIKey, c.ID, "advance", nothing)
	doc := r.moves(t, r.keys.Institutions[0].APIKey, c.ID, "decide", grants).Document.Verify
	doc = doc[strings.Index(doc, "/verifier/"):]
	b := &browser{rig: r}
	b.open(t, doc, "Valable")
	r.advance(t, "768h")
	b.open(t, doc, "Expiré", "sa durée est passée")
	b.open(t, "/ar"+doc, `dir="rtl"`)
	r.ask(t, req{key: key, method: "GET", path: "/v1/courier"}).refused(t, 401, "auth.unknown")
	if status, body, _ := b.do(t, "GET", "/l/"+link.Secret, nil); status != 404 || strings.Contains(body, "Acheteur exemple") {
		t.Errorf("the page of a link whose time is over answers %d: %.300s", status, inside(body))
	}
}
