package main

import "syscall"

// tied makes a child end when the thread that made it does.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
