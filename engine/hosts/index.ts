// Door to the host executor. Loaded only by runs that have processes on this machine.
export { requireConsent } from "./consent.ts";
export { HostSteps } from "./steps.ts";
