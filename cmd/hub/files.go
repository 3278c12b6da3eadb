package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/blob/s3"
)

// filing are the settings of where uploads are kept.
type filing struct {
	FilesDir string `help:"A folder for uploads, which all hubs on one database share; files in the data directory by default." env:"HUB_FILES_DIR" type:"path"`
	S3URL    string `help:"S3-compatible storage for uploads instead of a folder." env:"HUB_S3_URL"`
	S3Bucket string `help:"The bucket, which exists and which nobody else may read." env:"HUB_S3_BUCKET"`
	S3Region string `help:"Its region." env:"HUB_S3_REGION" default:"us-east-1"`
	S3Prefix string `help:"What keys begin with, in a bucket that holds more." env:"HUB_S3_PREFIX"`
	S3Key    string `help:"The key that may put, get and delete there." env:"HUB_S3_KEY"`
	S3Secret string `help:"Its secret." env:"HUB_S3_SECRET"`
}

// open opens where uploads are kept.
func (f filing) open(dataDir string) (blob.Driver, error) {
	switch {
	case f.S3URL != "" && f.FilesDir != "":
		return nil, errors.New("HUB_S3_URL and HUB_FILES_DIR are both set: uploads are kept in one place")
	case f.S3URL != "":
		return s3.Open(s3.Settings{URL: f.S3URL, Region: f.S3Region, Bucket: f.S3Bucket, Prefix: f.S3Prefix, Key: f.S3Key, Secret: f.S3Secret})
	case f.FilesDir != "":
		return disk.Open(f.FilesDir)
	}
	return disk.Open(filepath.Join(dataDir, "files"))
}

// unsafe lists what must not be in production.
func (f filing) unsafe() (errs []error) {
	if u, err := url.Parse(f.S3URL); f.S3URL != "" && (err != nil || u.Scheme != "https" && !loopback(u.Hostname())) {
		errs = append(errs, fmt.Errorf("HUB_S3_URL %q is not https", f.S3URL))
	}
	return errs
}
