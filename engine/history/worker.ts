// The thread of a run's recorder: the store is loaded, opened and written here, beside the run. See recording.ts.
import { parentPort, workerData } from "node:worker_threads";
import { UserError } from "../../compiler/index.ts";
import { FileDigests } from "../provenance/files.ts";
import { openStore } from "../store/index.ts";
import type { FromRecorder, PlainError, RecorderTask, ToRecorder } from "./messages.ts";
import { Recorder } from "./recorder.ts";

const tell = (message: FromRecorder): void => parentPort?.postMessage(message);

async function work({ location, tenant, run, lease, digests }: RecorderTask): Promise<void> {
  const aborting = new AbortController();
  const inbox = new Inbox(() => aborting.abort(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }])));
  const store = await openStore({ location, tenant, now: Date.now, onNotice: (text) => tell({ type: "notice", text }) });
  try {
    const recorder = new Recorder({
      store,
      run,
      ...(lease === undefined ? {} : { lease }),
      digests: new FileDigests(digests, Date.now),
      signal: aborting.signal,
      onCreated: (id, created) => tell({ type: "created", run: id, created }),
      onWait: (before) => tell({ type: "waiting", before }),
      onCancel: (reason) => tell({ type: "cancel", error: plain(reason) }),
    });
    tell({ type: "ready", run: (await recorder.begin()).id });
    for (;;) {
      const message = await inbox.next();
      if (message.type === "config") await recorder.config(message.text);
      else if (message.type === "daemon") await recorder.daemon(message.name);
      else if (message.type === "facts") recorder.facts(message.facts);
      else if (message.type === "listed") recorder.listed(message.key, message.files);
      else if (message.type === "entries") {
        await recorder.take(message);
        tell({ type: "written", bytes: message.bytes });
      } else if (message.type === "end") return await recorder.end(message);
    }
  } finally {
    await store.close();
  }
}

/** What the run says, in order; its wish to end is heard at once. */
class Inbox {
  readonly #waiting: ToRecorder[] = [];
  #wake: () => void = () => undefined;

  constructor(onAbort: () => void) {
    parentPort?.on("message", (message: ToRecorder) => {
      if (message.type === "abort") return onAbort();
      this.#waiting.push(message);
      this.#wake();
    });
  }

  async next(): Promise<ToRecorder> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function plain(error: unknown): PlainError {
  if (error instanceof UserError) return { exit: error.exit, diagnostics: error.diagnostics };
  const message = `The run is not recorded: ${error instanceof Error ? error.message : String(error)}`;
  const hint = "This is a bug in dagger; run again with --debug to see where";
  return { exit: 3, diagnostics: [{ code: "history-failed", message, at: [], hint }] };
}

// No await at the top: the bundle has no ES modules.
void work(workerData as RecorderTask)
  .then(
    () => tell({ type: "ended" }),
    (error: unknown) => tell({ type: "failed", error: plain(error) }),
  )
  .finally(() => parentPort?.close());
