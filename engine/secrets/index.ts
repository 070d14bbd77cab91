// Door of the secrets that an environment keeps. Loaded when a command is about them.
export { allowCommand, type Consents, disallowCommand, listConsents } from "./consent.ts";
export { ownRecipient } from "./keys.ts";
export type { SecretScope } from "./provider.ts";
export { changeRecipients, listRecipients, listSecrets, rotateKey, setSecret, unsetSecret } from "./store.ts";
