// A thread with a large stack: evaluates again what ran out of stack in the main thread. See host.ts.
import { parentPort, workerData } from "node:worker_threads";
import { compileModule, Instance } from "./instance.ts";
import type { Request } from "./protocol.ts";

const instance = new Instance(compileModule((workerData as { wasm: string }).wasm));

parentPort?.on("message", (request: Request) => {
  try {
    parentPort?.postMessage({ answer: instance.call(request) });
  } catch (error) {
    parentPort?.postMessage({ failure: error instanceof RangeError ? "stack" : String(error) });
  }
});
