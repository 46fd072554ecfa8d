package configs

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns the candidate that word is a misspelling of: the one that the
// fewest typing mistakes turn into word (a letter left out, added, changed, or
// two swapped; case aside), the earlier one of equals. A beginning of a single
// candidate counts as that candidate. It returns "" when no candidate is as
// near as [mistakes] allows: a wrong hint is worse than none.
func Nearest(word string, candidates []string) string {
	best, least := "", mistakes(word)+1
	for _, c := range candidates {
		if n := distance(word, c); n < least && !otherWord(word, c) {
			best, least = c, n
		}
	}
	return cmp.Or(best, completed(word, candidates))
}

// lettersPerMistake is how many letters a word must have for each mistake that
// is taken for one. With fewer letters, different words look like misspellings
// of each other: fps and tls, port and host, record and peer.
const lettersPerMistake = 4

// mistakes is how many mistakes a word may have and still be recognised.
func mistakes(word string) int {
	return len(fold(word)) / lettersPerMistake
}

// otherWord is for words so short that one mistake is allowed. It reports whether
// the two have different letters. Another order of the letters, or one letter more
// or less, is no such difference: post is not host, but hots is.
func otherWord(a, b string) bool {
	x, y := fold(a), fold(b)
	if len(x) > lettersPerMistake || len(x) != len(y) {
		return false
	}
	slices.Sort(x)
	slices.Sort(y)
	return !slices.Equal(x, y)
}

// shortestBeginning is how many letters of a candidate are enough to mean it.
const shortestBeginning = 3

// completed returns the only candidate that begins with word, "" for none or
// several.
func completed(word string, candidates []string) string {
	begun := string(fold(word))
	if len(begun) < shortestBeginning {
		return ""
	}
	found := ""
	for _, c := range candidates {
		if !strings.HasPrefix(string(fold(c)), begun) {
			continue
		}
		if found != "" {
			return ""
		}
		found = c
	}
	return found
}

// longestWord bounds the cost of distance; what is longer is no misspelling.
const longestWord = 80

// distance is the optimal string alignment distance of a and b, case aside.
func distance(a, b string) int {
	x, y := fold(a), fold(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range x {
		before, prev, row := rows[i%3], rows[(i+1)%3], rows[(i+2)%3]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(prev[j+1]+1, row[j]+1, prev[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return rows[(len(x)+1)%3][len(y)]
}

func fold(s string) []rune {
	r := []rune(strings.ToLower(strings.ReplaceAll(s, "_", "-")))
	return r[:min(len(r), longestWord)]
}
