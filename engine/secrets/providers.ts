// The providers that dagger knows. Their code is loaded when a reference names one.
import type { SecretsProvider } from "./provider.ts";
import type { ProviderName } from "./reference.ts";

const providers: Readonly<Record<ProviderName, () => Promise<SecretsProvider>>> = {
  call: async () => (await import("./call.ts")).callProvider,
  age: async () => (await import("./store.ts")).ageProvider,
  connector: async () => (await import("../connectors/provider.ts")).connectorProvider,
  vault: async () => (await import("./vault/provider.ts")).vaultProvider,
  cmd: async () => (await import("./command.ts")).commandProvider,
};

export function providerOf(name: ProviderName): Promise<SecretsProvider> {
  return providers[name]();
}
