// Package s3 keeps blobs in a bucket of S3-compatible storage.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	transport "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tiwiza/pkg/blob"
)

// Settings say where the storage is and who asks.
type Settings struct {
	URL    string // https://host[:port]; the bucket's name follows as a path
	Region string // us-east-1 when left out, as most servers of one's own have it
	Bucket string
	Prefix string // before each key, for buckets that hold more
	Key    string
	Secret string
}

// deadline is how long one try of a call may take; there are three.
const deadline = 20 * time.Second

// Bucket is a blob.Driver. A PUT of S3 is all or nothing by its contract.
type Bucket struct {
	client *s3.Client
	name   string
	prefix string
}

// Open makes a driver; it asks nothing of the storage yet.
func Open(s Settings) (*Bucket, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, fmt.Errorf("the storage's address %q is not of the form https://host", s.URL)
	}
	if s.Bucket == "" || s.Key == "" || s.Secret == "" {
		return nil, errors.New("the storage needs a bucket, a key and its secret")
	}
	region := s.Region
	if region == "" {
		region = "us-east-1"
	}
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(u.Scheme + "://" + u.Host), Region: region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.Key, s.Secret, ""),
		HTTPClient:  transport.NewBuildableClient().WithTimeout(deadline),
		Retryer:     retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 3, time.Second }),
		// The newer checksums are not known to every server; keys are digests anyway.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
	return &Bucket{client, s.Bucket, s.Prefix}, nil
}

// Put keeps a content; see blob.Driver.
func (b *Bucket) Put(ctx context.Context, key blob.Key, content []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: b.at(key), Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))),
		ContentType: aws.String("application/octet-stream"), // nobody reads it there but hubs
	})
	return told(ctx, err)
}

// Get reads a content; see blob.Driver.
func (b *Bucket) Get(ctx context.Context, key blob.Key, limit int64) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: b.at(key)})
	if err != nil {
		return nil, told(ctx, err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(io.LimitReader(out.Body, limit))
	if err != nil {
		return nil, told(ctx, err)
	}
	return content, nil
}

// Delete takes a content away; see blob.Driver.
func (b *Bucket) Delete(ctx context.Context, key blob.Key) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: b.at(key)})
	if err = told(ctx, err); errors.Is(err, blob.ErrMissing) {
		return nil
	}
	return err
}

func (b *Bucket) at(key blob.Key) *string { return aws.String(b.prefix + string(key)) }

// told turns the storage's word into ours. A bucket that is not there is a wrong
// setting, and no content that is missing.
func told(ctx context.Context, err error) error {
	var code interface{ ErrorCode() string }
	var status interface{ HTTPStatusCode() int }
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &code) && code.ErrorCode() == "NoSuchKey":
		return blob.ErrMissing
	case errors.As(err, &status) && status.HTTPStatusCode() >= 300 && status.HTTPStatusCode() < 500:
		return err
	}
	return fmt.Errorf("%w: %w", blob.ErrUnreachable, err)
}
