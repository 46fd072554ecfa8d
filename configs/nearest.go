package configs

import "strings"

// Nearest returns the candidate that takes the fewest typing mistakes (a letter
// left out, added, changed, or two swapped; case aside) to become word, the
// earlier one of equals. It returns "" when there are no candidates.
func Nearest(word string, candidates []string) string {
	return nearestBy(candidates, func(c string) int { return distance(word, c) })
}

// nearestKey also finds a key whose section was forgotten or mistaken: width is
// nearer to video.width than to any other.
func nearestKey(word string, candidates []string) string {
	last := func(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
	return nearestBy(candidates, func(c string) int {
		return min(distance(word, c), 1+distance(last(word), last(c)))
	})
}

// nearestEnv is nearestKey for the names of variables. Only the first _ can end
// a section.
func nearestEnv(word string, candidates []string) string {
	last := func(s string) string {
		s = strings.TrimPrefix(s, envPrefix)
		return s[strings.IndexByte(s, '_')+1:]
	}
	return nearestBy(candidates, func(c string) int {
		whole := strings.TrimPrefix(word, envPrefix)
		return min(distance(word, c), 1+distance(last(word), last(c)), 1+distance(whole, last(c)))
	})
}

func nearestBy(candidates []string, cost func(string) int) string {
	best, least := "", -1
	for _, c := range candidates {
		if n := cost(c); least < 0 || n < least {
			best, least = c, n
		}
	}
	return best
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
