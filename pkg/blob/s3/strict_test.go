package s3_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/blob/s3"
)

// strict is S3 as its public API describes it, for one bucket, in memory. It
// refuses what the real one refuses: a signature that is not Signature Version 4
// of this very request, a clock that is off, a body that is not the one that was
// signed, a PUT without a length, a bucket that is not there. What the driver
// does not need is answered 501, so that nothing passes unseen.
type strict struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string][]byte
	down    int // so many answers are 503 first
	seen    []string
}

const (
	accessKey = "EXAMPLEKEY0000000000"
	secretKey = "example/secret+key"
	region    = "ma-casa-1"
	bucket    = "market"
)

func newStrict(t *testing.T) *strict {
	t.Helper()
	s := &strict{objects: map[string][]byte{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *strict) refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message><RequestId>1</RequestId></Error>`, code, code)
}

// ServeHTTP answers one request.
func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.refuse(w, 400, "IncompleteBody")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	if code := wrong(r, body, time.Now(), settings("")); code != "" {
		s.refuse(w, 403, code)
		return
	}
	if s.down > 0 {
		s.down--
		s.refuse(w, 503, "SlowDown")
		return
	}
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	for q, v := range r.URL.Query() {
		if q != "x-id" || !slices.Contains([]string{"PutObject", "GetObject", "DeleteObject"}, v[0]) {
			s.refuse(w, 501, "NotImplemented")
			return
		}
	}
	switch {
	case name != bucket:
		s.refuse(w, 404, "NoSuchBucket")
	case key == "" || len(key) > 1024:
		s.refuse(w, 400, "InvalidRequest")
	case r.Method == http.MethodPut && r.Header.Get("Content-Length") == "" && r.ContentLength < 0:
		s.refuse(w, 411, "MissingContentLength")
	case r.Method == http.MethodPut && r.Header.Get("Content-Encoding") != "":
		s.refuse(w, 501, "NotImplemented")
	case r.Method == http.MethodPut:
		s.objects[key] = body
		w.Header().Set("ETag", `"etag"`)
	case r.Method == http.MethodGet:
		o, ok := s.objects[key]
		if !ok {
			s.refuse(w, 404, "NoSuchKey")
			return
		}
		w.Header().Set("ETag", `"etag"`)
		_, _ = w.Write(o)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		s.refuse(w, 405, "MethodNotAllowed")
	}
}

// wrong checks a request's signature (Signature Version 4) and says with which
// code it is refused, or "".
func wrong(r *http.Request, body []byte, now time.Time, who s3.Settings) string {
	algorithm, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if algorithm != "AWS4-HMAC-SHA256" {
		return "AccessDenied"
	}
	part := map[string]string{}
	for _, p := range strings.Split(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		part[k] = v
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(at).Abs() > 15*time.Minute {
		return "RequestTimeTooSkewed"
	}
	scope := at.Format("20060102") + "/" + who.Region + "/s3/aws4_request"
	if part["Credential"] != who.Key+"/"+scope {
		return "InvalidAccessKeyId"
	}
	if sum := sha256.Sum256(body); r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
		return "XAmzContentSHA256Mismatch"
	}
	signed := strings.Split(part["SignedHeaders"], ";")
	if !slices.IsSorted(signed) || !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-date") {
		return "AccessDenied"
	}
	for name := range r.Header {
		if strings.HasPrefix(strings.ToLower(name), "x-amz-") && !slices.Contains(signed, strings.ToLower(name)) {
			return "AccessDenied"
		}
	}
	request := canonical(r, signed)
	sum := sha256.Sum256([]byte(request))
	key := []byte("AWS4" + who.Secret)
	for _, step := range []string{at.Format("20060102"), who.Region, "s3", "aws4_request"} {
		key = mac(key, step)
	}
	want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+r.Header.Get("X-Amz-Date")+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	if !hmac.Equal([]byte(want), []byte(part["Signature"])) {
		return "SignatureDoesNotMatch"
	}
	return ""
}

// canonical is the request as it is signed.
func canonical(r *http.Request, signed []string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n")
	q := r.URL.Query()
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(q)) {
		for _, v := range q[k] {
			pairs = append(pairs, url.QueryEscape(k)+"="+url.QueryEscape(v))
		}
	}
	b.WriteString(strings.Join(pairs, "&") + "\n")
	for _, h := range signed {
		v := strings.Join(r.Header.Values(h), ",")
		switch h {
		case "host":
			v = r.Host
		case "content-length":
			v = fmt.Sprint(r.ContentLength)
		}
		b.WriteString(h + ":" + strings.Join(strings.Fields(v), " ") + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + r.Header.Get("X-Amz-Content-Sha256"))
	return b.String()
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// The one signed request that the API's documentation prints: GET Object of
// «Authenticating Requests: Using the Authorization Header (AWS Signature
// Version 4)».
func TestTheStrictServerKnowsTheDocumentedSignature(t *testing.T) {
	t.Parallel()
	who := s3.Settings{Region: "us-east-1", Key: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	request := func() *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "https://examplebucket.s3.amazonaws.com/test.txt", http.NoBody)
		r.Header.Set("Range", "bytes=0-9")
		r.Header.Set("X-Amz-Date", "20130524T000000Z")
		r.Header.Set("X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"+
			"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"+
			"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
		return r
	}
	if code := wrong(request(), nil, at, who); code != "" {
		t.Errorf("the documented request is refused with %s", code)
	}
	for want, change := range map[string]func(r *http.Request){
		"AccessDenied":              func(r *http.Request) { r.Header.Del("Authorization") },
		"SignatureDoesNotMatch":     func(r *http.Request) { r.Header.Set("Range", "bytes=0-99") },
		"RequestTimeTooSkewed":      func(r *http.Request) { r.Header.Set("X-Amz-Date", "20130525T000000Z") },
		"XAmzContentSHA256Mismatch": func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "00") },
	} {
		r := request()
		change(r)
		if code := wrong(r, nil, at, who); code != want {
			t.Errorf("refused with %q, want %s", code, want)
		}
	}
}
