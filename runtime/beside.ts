// Threads and processes whose code is a file beside the one that starts them: from source, in the library, and in the bundled command line.
import { fileURLToPath } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** `url` is the caller's own `import.meta.url` (a bundle puts its address in place of these very words), `name` the file without its ending. */
export function threadBeside(url: string, name: string, options: WorkerOptions): Worker {
  const file = fileBeside(url, name);
  if (!isSource(url)) return new Worker(file, options);
  // tsx does not reach into threads by itself.
  const tsx = import.meta.resolve("tsx/esm/api");
  const code = `import(${JSON.stringify(tsx)}).then((tsx) => (tsx.register(), import(${JSON.stringify(file.href)})));`;
  return new Worker(code, { ...options, eval: true });
}

/** Node's arguments for a process; `url` and `name` as for a thread. */
export function processBeside(url: string, name: string): string[] {
  const path = fileURLToPath(fileBeside(url, name));
  return isSource(url) ? ["--import", import.meta.resolve("tsx"), path] : [path];
}

/** In the library it is a module, beside the bundle a file of CommonJS. */
function fileBeside(url: string, name: string): URL {
  return new URL(`./${name}${isSource(url) ? ".ts" : url.endsWith(".js") ? ".js" : ".cjs"}`, url);
}

function isSource(url: string): boolean {
  return url.endsWith(".ts");
}
