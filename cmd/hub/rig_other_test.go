//go:build !linux

package main

import "syscall"

// tied has no meaning here: a test program that is killed leaves its hubs.
func tied() *syscall.SysProcAttr { return nil }
