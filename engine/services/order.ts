// What whoever starts a service tells its supervisor, through a pipe: nothing of it is on the command line or on the disk.
import type { HostService } from "../../compiler/index.ts";

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
  /** Values that its log must not have. */
  readonly secrets: readonly string[];
}
