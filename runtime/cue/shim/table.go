// Tables of texts that an answer repeats often, and JSON strings.

package main

import "unicode/utf8"

// table numbers texts; the empty text is -1.
type table struct {
	indexes map[string]int
	texts   []string
}

func (t *table) index(text string) int {
	if text == "" {
		return -1
	}
	if i, ok := t.indexes[text]; ok {
		return i
	}
	if t.indexes == nil {
		t.indexes = map[string]int{}
	}
	t.indexes[text] = len(t.texts)
	t.texts = append(t.texts, text)
	return len(t.texts) - 1
}

// write appends the texts as JSON strings.
func (t *table) write(out []byte) []byte {
	for i, text := range t.texts {
		if i > 0 {
			out = append(out, ',')
		}
		out = quote(out, text)
	}
	return out
}

// writeRaw appends texts that are JSON already.
func (t *table) writeRaw(out []byte) []byte {
	for i, text := range t.texts {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, text...)
	}
	return out
}

// quote appends a JSON string. It is several times faster than encoding/json, and most of an answer is strings.
func quote(out []byte, text string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				out = append(append(out, text[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		out = append(out, text[start:i]...)
		if c == '"' || c == '\\' {
			out = append(out, '\\', c)
		} else {
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(out, text[start:]...), '"')
}
