// What whoever starts a service tells its supervisor, through a pipe: nothing of it is on the command line or on the disk.
import type { HostService } from "../../compiler/index.ts";
import type { ContainerPlace } from "./engine.ts";

export interface ServiceOrder {
  /** The directory of the service in the workspace. */
  readonly dir: string;
  readonly service: HostService;
  readonly component: string;
  readonly config: string;
  readonly line: string;
  readonly fingerprint: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Its commands as the config has them: for people. */
  readonly said: Pick<HostService, "onExit" | "onStart">;
  /** The container that it runs in. */
  readonly container?: ContainerPlace;
  /** A command before each of its lives, and after the last: what an earlier one has left is removed. */
  readonly remove?: readonly string[];
  /** Values that its log must not have. */
  readonly secrets: readonly string[];
}
