package s3_test

import (
	"errors"
	"os"
	"testing"

	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/blobconform"
	"tiwiza/pkg/blob/s3"
)

func settings(at string) s3.Settings {
	return s3.Settings{URL: at, Region: region, Bucket: bucket, Prefix: "files/", Key: accessKey, Secret: secretKey}
}

func open(t *testing.T, s s3.Settings) *s3.Bucket {
	t.Helper()
	b, err := s3.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConformance(t *testing.T) {
	t.Parallel()
	blobconform.Run(t, func(t *testing.T) blobconform.Fixture {
		at := newStrict(t).URL
		return blobconform.Fixture{Driver: open(t, settings(at)), Again: func(t *testing.T) blob.Driver { return open(t, settings(at)) }}
	})
}

// TestConformanceOfARealServer runs when HUB_S3_URL and its like say where one
// is; its bucket must exist.
func TestConformanceOfARealServer(t *testing.T) {
	t.Parallel()
	s := s3.Settings{
		URL: os.Getenv("HUB_S3_URL"), Region: os.Getenv("HUB_S3_REGION"), Bucket: os.Getenv("HUB_S3_BUCKET"), Prefix: "conformance/",
		Key: os.Getenv("HUB_S3_KEY"), Secret: os.Getenv("HUB_S3_SECRET"),
	}
	if s.URL == "" {
		t.Skip("HUB_S3_URL does not say where a server is")
	}
	blobconform.Run(t, func(t *testing.T) blobconform.Fixture {
		return blobconform.Fixture{Driver: open(t, s), Again: func(t *testing.T) blob.Driver { return open(t, s) }}
	})
}

func TestAWrongSecretIsAnErrorAndNothingMissing(t *testing.T) {
	t.Parallel()
	s := settings(newStrict(t).URL)
	c := []byte("content")
	for name, change := range map[string]func(s *s3.Settings){
		"secret": func(s *s3.Settings) { s.Secret = "wrong" },
		"key":    func(s *s3.Settings) { s.Key = "wrong" },
		"region": func(s *s3.Settings) { s.Region = "elsewhere" },
		"bucket": func(s *s3.Settings) { s.Bucket = "none" },
	} {
		bad := s
		change(&bad)
		b := blob.Over(open(t, bad))
		if err := b.Put(t.Context(), blob.NewKey(c), c); err == nil {
			t.Errorf("a wrong %s puts", name)
		}
		if _, err := b.Get(t.Context(), blob.NewKey(c)); err == nil || errors.Is(err, blob.ErrMissing) || errors.Is(err, blob.ErrUnreachable) {
			t.Errorf("with a wrong %s get says %v", name, err)
		}
	}
}

func TestAServerThatIsBusyIsAskedAgain(t *testing.T) {
	t.Parallel()
	server := newStrict(t)
	b := blob.Over(open(t, settings(server.URL)))
	c := []byte("content")
	key := blob.NewKey(c)
	server.down = 2
	if err := b.Put(t.Context(), key, c); err != nil {
		t.Errorf("put after two refusals: %v", err)
	}
	server.mu.Lock()
	server.down = 100
	server.mu.Unlock()
	if _, err := b.Get(t.Context(), key); !errors.Is(err, blob.ErrUnreachable) {
		t.Errorf("a server that stays busy is %v, want %v", err, blob.ErrUnreachable)
	}
	server.Close()
	if _, err := b.Get(t.Context(), key); !errors.Is(err, blob.ErrUnreachable) {
		t.Errorf("a server that is gone is %v, want %v", err, blob.ErrUnreachable)
	}
}

func TestKeysStandBehindThePrefix(t *testing.T) {
	t.Parallel()
	server := newStrict(t)
	c := []byte("content")
	key := blob.NewKey(c)
	if err := blob.Over(open(t, settings(server.URL))).Put(t.Context(), key, c); err != nil {
		t.Fatal(err)
	}
	if got := string(server.objects["files/"+string(key)]); got != "content" {
		t.Errorf("the server has %q, in %v", got, server.seen)
	}
}

func TestSettingsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []s3.Settings{
		{},
		{URL: "storage.example", Bucket: "b", Key: "k", Secret: "s"},
		{URL: "ftp://storage.example", Bucket: "b", Key: "k", Secret: "s"},
		{URL: "https://storage.example/path", Bucket: "b", Key: "k", Secret: "s"},
		{URL: "https://u:p@storage.example", Bucket: "b", Key: "k", Secret: "s"},
		{URL: "https://storage.example", Key: "k", Secret: "s"},
		{URL: "https://storage.example", Bucket: "b", Secret: "s"},
		{URL: "https://storage.example", Bucket: "b", Key: "k"},
	} {
		if _, err := s3.Open(s); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}
