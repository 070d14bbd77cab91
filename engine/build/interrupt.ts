// Cleans up half-received files when the process is ended at once, by a second Ctrl-C or a signal that nobody handles.

const pending = new Set<() => void>();
let listening = false;

/** Runs `clean` (synchronously) if the process exits before the returned function is called. */
export function savingInterrupted(clean: () => void): () => void {
  if (!listening) {
    listening = true;
    process.on("exit", () => {
      for (const each of pending) each();
    });
  }
  pending.add(clean);
  return () => void pending.delete(clean);
}
