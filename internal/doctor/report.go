package doctor

import (
	"fmt"
	"io"
	"strings"
)

// Count is how many checks came out with a status.
func (r Report) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}

// Write writes the report for people: a line for each check, its hint below, and the counts at the end. The error is that of w.
func (r Report) Write(w io.Writer) error {
	const column = len("failure")
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-*s  %s: %s\n", column, c.Status, c.Name, c.Detail)
		if c.Hint != "" {
			fmt.Fprintf(&b, "%-*s  hint: %s\n", column, "", c.Hint)
		}
	}
	fmt.Fprintf(&b, "%s: %d ok, %s, %s\n",
		count(len(r.Checks), "check"), r.Count(OK), count(r.Count(Warning), "warning"), count(r.Count(Failure), "failure"))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// count is a number with its noun: "1 check", "2 checks".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
