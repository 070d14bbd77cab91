// Connectors of the workspace around an engine's directory, for embedding programs. Their code is loaded when used.
import type { CheckedConnector, Connector, ConnectorChange, NewConnector } from "../connectors/index.ts";
import type { Surroundings } from "../request.ts";
import type { Access, Calls } from "./calls.ts";

/** All reject with UserError: 2 for what is not there, is there already or is wrong; 3 where files cannot be read or written. */
export interface Connectors {
  /** In the order of their names; never with a credential. */
  list(options?: ConnectorOptions): Promise<readonly Connector[]>;
  show(name: string, options?: ConnectorOptions): Promise<Connector>;
  add(connector: NewConnector, options?: ConnectorOptions): Promise<Connector>;
  /** What is given is set, the rest stays. */
  edit(name: string, change: ConnectorChange, options?: ConnectorOptions): Promise<Connector>;
  /** Gives what it was. */
  remove(name: string, options?: ConnectorOptions): Promise<Connector>;
  /** Connects to the services of these, or of all. A failure is part of what it gives, with who has to act and what they can do. */
  check(names?: readonly string[], options?: CheckOptions): Promise<readonly CheckedConnector[]>;
}

export interface ConnectorOptions {
  /** Aborting ends the call, which rejects with a UserError whose `exit` is 130. */
  readonly signal?: AbortSignal;
  /** On whose behalf: handed to `authorize`, and nothing else. */
  readonly actor?: string;
}

export interface CheckOptions extends ConnectorOptions {
  /** Whose store `age:` secrets are in. */
  readonly stack?: string;
  readonly environment?: string;
  /** Credentials may come from programs of this machine (`cmd:`). Default false. */
  readonly allowHost?: boolean;
  /** Milliseconds for each. Default 15,000. */
  readonly timeout?: number;
}

const resourceOf = (name?: string): string => (name === undefined ? "connectors" : `connectors/${name}`);
const read = (name?: string): Access => ({ action: "read", resource: resourceOf(name) });
const write = (name: string): Access => ({ action: "write", resource: resourceOf(name) });

export function connectorsOf(surroundings: Surroundings, calls: Calls): Connectors {
  const load = async (): Promise<typeof import("../connectors/index.ts")> => import("../connectors/index.ts");
  return {
    list: (of) => calls.run(read(), of, async () => (await load()).listConnectors(surroundings)),
    show: (name, of) => calls.run(read(name), of, async () => (await load()).showConnector(surroundings, name)),
    add: (connector, of) => calls.run(write(connector.name), of, async () => (await load()).addConnector(surroundings, connector)),
    edit: (name, change, of) => calls.run(write(name), of, async () => (await load()).editConnector(surroundings, name, change)),
    remove: (name, of) => calls.run(write(name), of, async () => (await load()).removeConnector(surroundings, name)),
    check: (names = [], of = {}) =>
      calls.run({ action: "run", resource: resourceOf() }, of, async (signal) => {
        const { stack, environment, allowHost, timeout } = of;
        const limit = timeout === undefined ? {} : { timeout };
        return (await load()).checkConnectors({ ...surroundings, names, stack, environment, allowHost, ...limit, signal });
      }),
  };
}
