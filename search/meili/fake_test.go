package meili_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fake is a Meilisearch server as its public API documentation says: writes
// are accepted and done later, in order, and may fail then; what a real server
// refuses is refused with the same code.
type fake struct {
	*httptest.Server
	master string

	mu      sync.Mutex
	indexes map[string]*fakeIndex
	tasks   []*fakeTask
	keys    []map[string]any
	down    bool          // connections are cut
	slow    time.Duration // each search waits
	deny    int           // so many document tasks fail
	most    int           // documents in one payload, when above 0
	takes   time.Duration // each task
	did     map[string]int
	now     savedRequest    // what is being answered
	again   *fakeTask       // a task that was accepted before the server was killed
	keep    func(fakeState) // writes down what a server keeps
}

type fakeIndex struct {
	primary  string
	settings map[string]any
	docs     map[string]map[string]any
}

type fakeTask struct {
	uid     int
	kind    string
	index   string
	status  string
	err     *fakeError
	work    func() *fakeError
	due     time.Time
	request savedRequest
}

type fakeError struct {
	status  int
	Message string `json:"message"`
	Code    string `json:"code"`
	Type    string `json:"type"`
	Link    string `json:"link"`
}

func refuse(status int, code, format string, args ...any) *fakeError {
	kind := "invalid_request"
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		kind = "auth"
	}
	return &fakeError{status, fmt.Sprintf(format, args...), code, kind, "https://docs.meilisearch.com/errors#" + code}
}

func newFake(t *testing.T) *fake {
	f := blankFake()
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func blankFake() *fake {
	return &fake{master: masterKey, indexes: map[string]*fakeIndex{}, did: map[string]int{}, takes: 5 * time.Millisecond}
}

const masterKey = "a-master-key-of-sixteen-bytes"

// routes are what the driver may call; everything else is not there.
var routes = []struct {
	method, path, action string
	status               int
	do                   func(f *fake, uid string, r *http.Request, body json.RawMessage) (any, *fakeError)
}{
	{"GET", `^/tasks/(\d+)$`, "tasks.get", 200, (*fake).task},
	{"GET", `^/indexes/([^/]+)$`, "indexes.get", 200, (*fake).getIndex},
	{"GET", `^/indexes/([^/]+)/stats$`, "stats.get", 200, (*fake).stats},
	{"POST", `^/indexes()$`, "indexes.create", 202, (*fake).createIndex},
	{"DELETE", `^/indexes/([^/]+)$`, "indexes.delete", 202, (*fake).deleteIndex},
	{"PATCH", `^/indexes/([^/]+)/settings$`, "settings.update", 202, (*fake).patchSettings},
	{"POST", `^/indexes/([^/]+)/documents$`, "documents.add", 202, (*fake).addDocuments},
	{"POST", `^/indexes/([^/]+)/documents/delete-batch$`, "documents.delete", 202, (*fake).deleteDocuments},
	{"POST", `^/indexes/([^/]+)/documents/fetch$`, "documents.get", 200, (*fake).fetch},
	{"POST", `^/indexes/([^/]+)/search$`, "search", 200, (*fake).search},
	{"POST", `^/swap-indexes()$`, "indexes.swap", 202, (*fake).swap},
	{"GET", `^/keys()$`, "keys.get", 200, (*fake).listKeys},
	{"POST", `^/keys()$`, "keys.create", 201, (*fake).createKey},
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	down, slow := f.down, f.slow
	f.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	if strings.HasSuffix(r.URL.Path, "/search") && slow > 0 {
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
		}
	}
	var body json.RawMessage
	if r.Method != "GET" && r.Method != "DELETE" {
		if r.Header.Get("Content-Type") != "application/json" {
			answer(w, 415, refuse(415, "invalid_content_type", "The Content-Type %q is invalid.", r.Header.Get("Content-Type")))
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			answer(w, 400, refuse(400, "malformed_payload", "The json payload provided is malformed."))
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp()
	f.now = savedRequest{r.Method, r.URL.Path, r.URL.RawQuery, body}
	for _, route := range routes {
		m := regexp.MustCompile(route.path).FindStringSubmatch(r.URL.Path)
		if m == nil || route.method != r.Method {
			continue
		}
		if e := f.allowed(r, route.action, m[1]); e != nil {
			answer(w, e.status, e)
			return
		}
		f.did[route.action]++
		out, e := route.do(f, m[1], r, body)
		if e != nil {
			answer(w, e.status, e)
			return
		}
		answer(w, route.status, out)
		return
	}
	answer(w, 404, refuse(404, "not_found", "There is nothing at %s %s.", r.Method, r.URL.Path))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// allowed checks the key: the master's may do all, others what they say.
func (f *fake) allowed(r *http.Request, action, index string) *fakeError {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return refuse(401, "missing_authorization_header", "The Authorization header is missing. It must use the bearer authorization method.")
	}
	if key == f.master {
		return nil
	}
	for _, k := range f.keys {
		if k["key"] == key && slices.Contains(list(k["actions"]), action) && (slices.Contains(list(k["indexes"]), index) || slices.Contains(list(k["indexes"]), "*")) {
			return nil
		}
	}
	return refuse(403, "invalid_api_key", "The provided API key is invalid.")
}

func list(v any) (out []string) {
	all, _ := v.([]any)
	for _, x := range all {
		s, _ := x.(string)
		out = append(out, s)
	}
	return out
}

// enqueue accepts a task, which is done a little later and after all before it.
func (f *fake) enqueue(kind, index string, work func() *fakeError) (any, *fakeError) {
	if t := f.again; t != nil {
		t.work = work
		return nil, nil
	}
	t := &fakeTask{len(f.tasks), kind, index, "enqueued", nil, work, time.Now().Add(f.takes), f.now}
	f.tasks = append(f.tasks, t)
	f.save()
	return map[string]any{"taskUid": t.uid, "indexUid": index, "status": "enqueued", "type": kind, "enqueuedAt": time.Now().UTC()}, nil
}

func (f *fake) catchUp() {
	for _, t := range f.tasks {
		if t.status != "enqueued" && t.status != "processing" {
			continue
		}
		if left := time.Until(t.due); left > 0 {
			if left < f.takes/2 {
				t.status = "processing"
			}
			return
		}
		t.status = "succeeded"
		if t.err = t.work(); t.err != nil {
			t.status = "failed"
		}
		f.save()
	}
}

func (f *fake) task(uid string, _ *http.Request, _ json.RawMessage) (any, *fakeError) {
	n, _ := strconv.Atoi(uid)
	if n >= len(f.tasks) {
		return nil, refuse(404, "task_not_found", "Task `%s` not found.", uid)
	}
	t := f.tasks[n]
	return map[string]any{"uid": t.uid, "indexUid": t.index, "status": t.status, "type": t.kind, "error": t.err, "enqueuedAt": time.Now().UTC(), "duration": nil}, nil
}

func (f *fake) getIndex(uid string, _ *http.Request, _ json.RawMessage) (any, *fakeError) {
	x := f.indexes[uid]
	if x == nil {
		return nil, refuse(404, "index_not_found", "Index `%s` not found.", uid)
	}
	return map[string]any{"uid": uid, "primaryKey": x.primary, "createdAt": time.Now().UTC(), "updatedAt": time.Now().UTC()}, nil
}

func (f *fake) stats(uid string, _ *http.Request, _ json.RawMessage) (any, *fakeError) {
	x := f.indexes[uid]
	if x == nil {
		return nil, refuse(404, "index_not_found", "Index `%s` not found.", uid)
	}
	busy := slices.ContainsFunc(f.tasks, func(t *fakeTask) bool { return t.index == uid && t.work != nil && t.status == "enqueued" })
	return map[string]any{"numberOfDocuments": len(x.docs), "isIndexing": busy, "fieldDistribution": map[string]int{}}, nil
}

var uidForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,400}$`)

func (f *fake) createIndex(_ string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	in, e := fields(body, "uid", "primaryKey")
	if e != nil {
		return nil, e
	}
	uid, _ := in["uid"].(string)
	primary, _ := in["primaryKey"].(string)
	if !uidForm.MatchString(uid) {
		return nil, refuse(400, "invalid_index_uid", "%q is not a valid index uid.", uid)
	}
	return f.enqueue("indexCreation", uid, func() *fakeError {
		if f.indexes[uid] != nil {
			return refuse(409, "index_already_exists", "Index `%s` already exists.", uid)
		}
		f.indexes[uid] = &fakeIndex{primary, map[string]any{}, map[string]map[string]any{}}
		return nil
	})
}

func (f *fake) deleteIndex(uid string, _ *http.Request, _ json.RawMessage) (any, *fakeError) {
	return f.enqueue("indexDeletion", uid, func() *fakeError {
		if f.indexes[uid] == nil {
			return refuse(404, "index_not_found", "Index `%s` not found.", uid)
		}
		delete(f.indexes, uid)
		return nil
	})
}

// fields reads an object that may have these fields and no others.
func fields(body json.RawMessage, known ...string) (map[string]any, *fakeError) {
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, refuse(400, "bad_request", "Invalid value type: expected an object.")
	}
	for k := range in {
		if !slices.Contains(known, k) {
			return nil, refuse(400, "bad_request", "Unknown field `%s`: expected one of %v", k, known)
		}
	}
	return in, nil
}

var ruleForm = regexp.MustCompile(`^(words|typo|proximity|attribute|attributeRank|wordPosition|sort|exactness|[A-Za-z0-9_.-]+:(asc|desc))$`)

func (f *fake) patchSettings(uid string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	in, e := fields(body, "rankingRules", "searchableAttributes", "displayedAttributes", "filterableAttributes", "sortableAttributes", "stopWords",
		"synonyms", "distinctAttribute", "typoTolerance", "faceting", "pagination", "proximityPrecision", "separatorTokens", "nonSeparatorTokens",
		"dictionary", "searchCutoffMs", "localizedAttributes", "embedders", "prefixSearch", "facetSearch", "chat")
	if e != nil {
		return nil, e
	}
	if e := settingsForms(in); e != nil {
		return nil, e
	}
	for _, r := range list(in["rankingRules"]) {
		if !ruleForm.MatchString(r) {
			return nil, refuse(400, "invalid_settings_ranking_rules", "Invalid value at `.rankingRules`: `%s` ranking rule is invalid.", r)
		}
	}
	if typo, ok := in["typoTolerance"].(map[string]any); ok {
		if on, ok := typo["enabled"].(bool); !ok || on {
			return nil, refuse(400, "bad_request", "the fake mends no typing errors, and is told to")
		}
		if size, ok := typo["minWordSizeForTypos"].(map[string]any); ok && size["oneTypo"].(float64) > size["twoTypos"].(float64) {
			return nil, refuse(400, "invalid_settings_typo_tolerance", "oneTypo is greater than twoTypos.")
		}
	}
	return f.enqueue("settingsUpdate", uid, func() *fakeError {
		x := f.indexes[uid]
		if x == nil {
			x = &fakeIndex{"", map[string]any{}, map[string]map[string]any{}}
			f.indexes[uid] = x
		}
		for k, v := range in {
			x.settings[k] = v
		}
		return nil
	})
}

func (f *fake) addDocuments(uid string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	var docs []map[string]any
	if err := json.Unmarshal(body, &docs); err != nil {
		return nil, refuse(400, "malformed_payload", "The documents are not an array of objects.")
	}
	if f.most > 0 && len(docs) > f.most {
		return nil, refuse(413, "payload_too_large", "The provided payload reached the size limit.")
	}
	asked, _ := url.ParseQuery(f.now.Query)
	primary := asked.Get("primaryKey")
	return f.enqueue("documentAdditionOrUpdate", uid, func() *fakeError {
		if f.deny > 0 {
			f.deny--
			return refuse(500, "internal", "No space left on device.")
		}
		x := f.indexes[uid]
		if x == nil {
			x = &fakeIndex{primary, map[string]any{}, map[string]map[string]any{}}
			f.indexes[uid] = x
		}
		if primary != "" && primary != x.primary {
			return refuse(400, "index_primary_key_already_exists", "Index `%s` already has a primary key.", uid)
		}
		for _, d := range docs {
			id, ok := d[x.primary].(string)
			if !ok {
				return refuse(400, "missing_document_id", "Document doesn't have a `%s` attribute.", x.primary)
			}
			if !uidForm.MatchString(id) {
				return refuse(400, "invalid_document_id", "Document identifier `%s` is invalid.", id)
			}
			if g, ok := d["_geo"].(map[string]any); ok && (g["lat"] == nil || g["lng"] == nil || len(g) != 2) {
				return refuse(400, "invalid_document_geo_field", "The `_geo` field in the document with the id `%s` is not as it should be.", id)
			}
		}
		for _, d := range docs {
			x.docs[d[x.primary].(string)] = d
		}
		return nil
	})
}

func (f *fake) deleteDocuments(uid string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	var ids []string
	if err := json.Unmarshal(body, &ids); err != nil {
		return nil, refuse(400, "malformed_payload", "The ids are not an array.")
	}
	return f.enqueue("documentDeletion", uid, func() *fakeError {
		if f.indexes[uid] == nil {
			return refuse(404, "index_not_found", "Index `%s` not found.", uid)
		}
		for _, id := range ids {
			delete(f.indexes[uid].docs, id)
		}
		return nil
	})
}

func (f *fake) swap(_ string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	var in []struct {
		Indexes []string
		Rename  bool
	}
	if err := json.Unmarshal(body, &in); err != nil || len(in) == 0 || len(in[0].Indexes) != 2 {
		return nil, refuse(400, "invalid_swap_indexes", "Two indexes must be given for each swap.")
	}
	seen := map[string]bool{}
	for _, s := range in {
		for _, uid := range s.Indexes {
			if seen[uid] {
				return nil, refuse(400, "invalid_swap_duplicate_index_found", "Indexes must be declared only once during a swap. `%s` was specified several times.", uid)
			}
			seen[uid] = true
		}
	}
	return f.enqueue("indexSwap", "", func() *fakeError {
		for _, s := range in {
			for _, uid := range s.Indexes {
				if f.indexes[uid] == nil {
					return refuse(404, "index_not_found", "Index `%s` not found.", uid)
				}
			}
			a, b := s.Indexes[0], s.Indexes[1]
			f.indexes[a], f.indexes[b] = f.indexes[b], f.indexes[a]
		}
		return nil
	})
}

func (f *fake) listKeys(string, *http.Request, json.RawMessage) (any, *fakeError) {
	return map[string]any{"results": f.keys, "offset": 0, "limit": 100, "total": len(f.keys)}, nil
}

func (f *fake) createKey(_ string, _ *http.Request, body json.RawMessage) (any, *fakeError) {
	in, e := fields(body, "name", "description", "uid", "actions", "indexes", "expiresAt")
	if e != nil {
		return nil, e
	}
	for _, k := range []string{"actions", "indexes", "expiresAt"} {
		if _, ok := in[k]; !ok {
			return nil, refuse(400, "missing_api_key_"+map[string]string{"actions": "actions", "indexes": "indexes", "expiresAt": "expires_at"}[k], "Missing field `%s`", k)
		}
	}
	for _, a := range list(in["actions"]) {
		if !slices.Contains(keyActions, a) {
			return nil, refuse(400, "invalid_api_key_actions", "Unknown value `%s` at `.actions`.", a)
		}
	}
	for _, x := range list(in["indexes"]) {
		if !uidForm.MatchString(strings.TrimSuffix(x, "*")) && x != "*" {
			return nil, refuse(400, "invalid_api_key_indexes", "`%s` is not a valid index uid pattern.", x)
		}
	}
	in["key"] = fmt.Sprintf("key-%d", len(f.keys))
	in["createdAt"], in["updatedAt"] = time.Now().UTC(), time.Now().UTC()
	f.keys = append(f.keys, in)
	f.save()
	return in, nil
}

var keyActions = []string{
	"*", "search", "documents.*", "documents.add", "documents.get", "documents.delete", "indexes.*", "indexes.create", "indexes.get", "indexes.update",
	"indexes.delete", "indexes.swap", "tasks.*", "tasks.get", "tasks.cancel", "tasks.delete", "settings.*", "settings.get", "settings.update", "stats.get",
	"metrics.get", "dumps.create", "snapshots.create", "version", "keys.get", "keys.create", "keys.update", "keys.delete", "experimental.get",
	"experimental.update", "network.get", "network.update", "chatCompletions",
}

// settingsForms refuses settings whose values are not of the right form.
func settingsForms(in map[string]any) *fakeError {
	inside := map[string][]string{
		"typoTolerance": {"enabled", "minWordSizeForTypos", "disableOnWords", "disableOnAttributes", "disableOnNumbers"},
		"pagination":    {"maxTotalHits"},
		"faceting":      {"maxValuesPerFacet", "sortFacetValuesBy"},
	}
	for name, v := range in {
		code := "invalid_settings_" + strings.ToLower(regexp.MustCompile("[A-Z]").ReplaceAllString(name, "_$0"))
		switch name {
		case "rankingRules", "searchableAttributes", "displayedAttributes", "filterableAttributes", "sortableAttributes", "stopWords":
			all, ok := v.([]any)
			for _, a := range all {
				if s, text := a.(string); !text || s == "" {
					ok = false
				}
			}
			if !ok {
				return refuse(400, code, "Invalid value type at `.%s`: expected an array of strings.", name)
			}
		case "synonyms":
			all, ok := v.(map[string]any)
			for _, others := range all {
				if _, list := others.([]any); !list {
					ok = false
				}
			}
			if !ok {
				return refuse(400, code, "Invalid value type at `.synonyms`: expected an object of arrays.")
			}
		}
		known, some := inside[name]
		if !some {
			continue
		}
		fields, ok := v.(map[string]any)
		if !ok {
			return refuse(400, code, "Invalid value type at `.%s`: expected an object.", name)
		}
		for k := range fields {
			if !slices.Contains(known, k) {
				return refuse(400, code, "Unknown field `%s` inside `.%s`: expected one of %v", k, name, known)
			}
		}
	}
	return nil
}

// What tests ask and do.

func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp()
	change(f)
}

func (f *fake) count(action string) (n int) {
	f.set(func(f *fake) { n = f.did[action] })
	return n
}

func (f *fake) size(index string) (n int) {
	f.set(func(f *fake) { n = len(f.indexes[index].docs) })
	return n
}

// ask sends a request as the master and says with which code it is refused, at
// once or later.
func (f *fake) ask(t *testing.T, method, path, body string) string {
	t.Helper()
	send := func(method, path, body string) (out struct {
		Code    string
		TaskUID *int `json:"taskUid"`
		Error   *struct{ Code string }
	},
	) {
		req, err := http.NewRequestWithContext(t.Context(), method, f.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+f.master)
		req.Header.Set("Content-Type", "application/json")
		res, err := f.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := send(method, path, body)
	if out.TaskUID == nil {
		return out.Code
	}
	f.set(func(f *fake) {
		for _, t := range f.tasks {
			t.due = time.Time{}
		}
	})
	if late := send("GET", fmt.Sprintf("/tasks/%d", *out.TaskUID), ""); late.Error != nil {
		return "later: " + late.Error.Code
	}
	return ""
}
