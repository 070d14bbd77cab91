// Door to the services of a workspace. Loaded only by runs that have some, and by the commands about them.
export type { ServiceImage } from "./request.ts";
export { bringUp } from "./start.ts";
export type { ServiceState, ServiceStatus } from "./state.ts";
export { listServices, type ServicesRequest, serviceLogs, stopServices } from "./stop.ts";
