// Texts in a Compose file.

/** Compose takes a $ for the beginning of a variable. */
export function plain(text: string): string {
  return text.replaceAll("$", "$$$$");
}
