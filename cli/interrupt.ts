// Ctrl-C: the first asks the running command to stop, the second ends the process at once.

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening. */
  dispose(): void;
}

/** `kill` is called on the second signal; it has to end the process. */
export function listenForInterrupt(kill: () => void, events: NodeJS.EventEmitter = process): Interrupt {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) kill();
    else controller.abort();
  };
  for (const name of signals) events.on(name, handle);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of signals) events.off(name, handle);
    },
  };
}
