// The process of a supervisor: takes its order from stdin, and lives as long as its service.
import type { ServiceOrder } from "./order.ts";
import { Supervisor } from "./supervisor.ts";

async function main(): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  const supervisor = new Supervisor(JSON.parse(Buffer.concat(parts).toString("utf8")) as ServiceOrder);
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => supervisor.stop());
  // The terminal that it was started from may be closed.
  process.on("SIGHUP", () => undefined);
  await supervisor.run();
}

// No await at the top: the bundle has no ES modules.
void main();
