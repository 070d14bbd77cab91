// Spelling: the name that a person meant when they misspelt one.

package main

import (
	"slices"
	"strings"
)

// nearest gives the candidate closest to name, empty when none is close enough to be meant. Twin of compiler/ops/near.ts.
func nearest(name string, candidates []string) string {
	limit := max(1, len(name)/3)
	best, found := limit+1, ""
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		if candidate == name {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < best {
			best, found = d, candidate
		}
	}
	return found
}

// distance counts edits between two words: insert, delete, replace, or swap two neighbours.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "Did you mean " + name + "?"
}
