package sqldbtest

import "syscall"

// endWithParent has the server end when the test's process does, however that ends.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
