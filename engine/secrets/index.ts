// Door of the secrets that an environment keeps. Loaded when a command is about them.
export { ownRecipient } from "./keys.ts";
export type { SecretScope } from "./provider.ts";
export { changeRecipients, listRecipients, listSecrets, rotateKey, setSecret, unsetSecret } from "./store.ts";
