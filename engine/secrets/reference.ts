// Where a secret comes from, as text: `SCHEME:REST`, e.g. `env:TOKEN`.

/** Providers by their schemes; beside them there are `env` and `file`. */
export const providerNames = ["age", "call", "cmd", "connector", "vault"] as const;
export type ProviderName = (typeof providerNames)[number];

export function isProvider(word: string): word is ProviderName {
  return (providerNames as readonly string[]).includes(word);
}

export function isReference(text: string): boolean {
  const scheme = /^([a-z]+):./s.exec(text)?.[1];
  return scheme !== undefined && (scheme === "env" || scheme === "file" || isProvider(scheme));
}
