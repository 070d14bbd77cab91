// JSON as Go's encoding/json writes it: attributes that hold JSON are part of a vertex's digest.

/** A list of strings as Go writes it: `<`, `>`, `&` and the line separators U+2028 and U+2029 are escaped. */
export function goJson(list: readonly string[]): string {
  return JSON.stringify(list).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
