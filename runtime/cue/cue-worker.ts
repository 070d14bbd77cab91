// A thread with a large stack: evaluates again what ran out of stack in the main thread. See host.ts.
import { parentPort, workerData } from "node:worker_threads";
import { Program, type ProgramOptions } from "./program.ts";
import type { Request } from "./protocol.ts";

const instance = new Program(workerData as ProgramOptions).start();

parentPort?.on("message", (request: Request) => {
  try {
    parentPort?.postMessage({ answer: instance.call(request) });
  } catch (error) {
    parentPort?.postMessage({ failure: error instanceof RangeError ? "stack" : String(error) });
  }
});
