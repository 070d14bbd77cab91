// The thread that reads files for their digests; see digest.ts.
import { parentPort, workerData } from "node:worker_threads";
import { type DigestTask, digestsHere } from "./digest.ts";

// No await at the top: the bundle has no ES modules.
void digestsHere(workerData as DigestTask).then((digests) => parentPort?.postMessage(digests));
