// Package rules holds the house rules as ordinary tests: which package may import which, where cgo may stand, what no
// file may call, how long a file may be, what may lie at the top of the repository, which words no name may have.
//
// A rule is a function from a file tree to findings. TestHouse runs every rule over this repository; the other tests
// run each over a small bad tree, so that a rule which has stopped finding anything is noticed. The rules parse the
// sources themselves and ask no tool: Go's test cache sees the files that a test opens, and reruns it when one changes,
// but not what a child process reads.
//
// The package has no code outside its tests. What a linter can say as well, it says in the editor (.golangci.yml);
// a rule stands here when it must hold even where no linter is installed.
package rules
