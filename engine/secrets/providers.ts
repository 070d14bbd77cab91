// The providers that dagger knows. Their code is loaded when a reference names one.
import type { SecretsProvider } from "./provider.ts";

const providers = {
  call: async (): Promise<SecretsProvider> => (await import("./call.ts")).callProvider,
  age: async (): Promise<SecretsProvider> => (await import("./store.ts")).ageProvider,
  cmd: async (): Promise<SecretsProvider> => (await import("./command.ts")).commandProvider,
};

export type ProviderName = keyof typeof providers;

export function isProvider(word: string): word is ProviderName {
  return Object.hasOwn(providers, word);
}

export function providerOf(name: ProviderName): Promise<SecretsProvider> {
  return providers[name]();
}
