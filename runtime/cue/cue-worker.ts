// A thread with a large stack: evaluates what the main thread gave up, for lack of stack or because it takes long. See host.ts.
import { parentPort, workerData } from "node:worker_threads";
import { OutOfMemory } from "./instance.ts";
import { Program, type ProgramOptions } from "./program.ts";
import type { Request } from "./protocol.ts";

const instance = new Program(workerData as ProgramOptions).start();

parentPort?.on("message", (request: Request) => {
  try {
    parentPort?.postMessage({ answer: instance.call(request) });
  } catch (error) {
    const failure = error instanceof RangeError ? "stack" : error instanceof OutOfMemory ? "memory" : String(error);
    parentPort?.postMessage({ failure });
  }
});
