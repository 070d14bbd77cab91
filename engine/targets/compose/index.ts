// Docker Compose: tasks are services that end, daemons services that go on, outputs volumes.
import type { PublishedPort } from "../../../compiler/index.ts";
import { handOn, placeOf } from "../hand-on.ts";
import { labelOf, partsOf } from "../names.ts";
import { withNeeds } from "../needs.ts";
import { about, type Rendered, type Target, type TargetGraph, type TargetMount, type TargetNode, type Told } from "../target.ts";
import { healthcheck } from "./health.ts";
import { ComposeSecrets } from "./secrets.ts";
import { plain } from "./text.ts";

export const compose: Target = { title: "Docker Compose", render };

type Service = Record<string, unknown>;

function render(graph: TargetGraph, told: Told): Rendered {
  const writer = new Writer(graph, told);
  for (const node of graph.nodes) writer.add(node);
  return writer.rendered();
}

class Writer {
  readonly #graph: TargetGraph;
  readonly #told: Told;
  readonly #services: Record<string, Service> = {};
  readonly #volumes: Record<string, null> = {};
  readonly #configs: Record<string, object> = {};
  readonly #secrets: ComposeSecrets;
  /** By node, the profiles that bring it along; those without one run with everything else. */
  readonly #profiles: ReadonlyMap<TargetNode, readonly string[]>;
  /** By port of the machine, and protocol. */
  readonly #published = new Map<string, TargetNode>();
  readonly #notes: string[] = [];

  constructor(graph: TargetGraph, told: Told) {
    this.#graph = graph;
    this.#told = told;
    this.#secrets = new ComposeSecrets(graph.secrets, told);
    this.#profiles = profilesOf(graph.nodes);
  }

  add(node: TargetNode): void {
    const { image } = node;
    if (image.archive !== undefined) this.#notes.push(`Load the image of ${node.name} before: docker load -i ${image.archive}`);
    const service = {
      image: node.ref,
      ...(image.platform === undefined
        ? {}
        : { platform: [image.platform.os, image.platform.architecture, image.platform.variant].filter(Boolean).join("/") }),
      // Without a command it is the image's own.
      ...(node.process.args.length === 0 ? {} : { entrypoint: node.process.args.map(plain) }),
      ...this.#profile(node),
      ...this.#process(node),
      ...this.#mounts(node),
      ...(node.kind === "daemon" ? this.#daemon(node) : this.#task(node)),
    };
    const needs = this.#needs(node);
    this.#services[node.name] = { ...service, ...(Object.keys(needs).length === 0 ? {} : { depends_on: needs }) };
    if (node.outputs.length > 0) this.#handOn(node);
  }

  rendered(): Rendered {
    const document = {
      name: this.#graph.name,
      services: this.#services,
      ...some("volumes", this.#volumes),
      ...some("configs", this.#configs),
      ...some("secrets", this.#secrets.declared),
    };
    return { documents: [document], notes: [...this.#notes, ...this.#secrets.notes] };
  }

  /** A step of its own that gives each output a volume. */
  #handOn(node: TargetNode): void {
    for (const { volume } of node.outputs) this.#volumes[volume] = null;
    this.#services[partsOf(node.name).outputs] = {
      image: this.#graph.helper,
      entrypoint: handOn(
        node.name,
        node.outputs.map((output) => ({ from: output.from, to: placeOf(output) })),
      ).map(plain),
      user: "0",
      ...this.#profile(node),
      network_mode: "none",
      volumes: [volumeAt(partsOf(node.name).out, "/out"), ...node.outputs.map((output) => volumeAt(output.volume, placeOf(output)))],
      depends_on: { [node.name]: { condition: "service_completed_successfully" } },
    };
    for (const { path, save, at } of node.outputs) {
      if (save !== undefined)
        this.#told.loss({ code: "target-loss", message: `${path} is not saved to ${save}: it is in a volume`, path, at });
    }
  }

  #profile(node: TargetNode): Service {
    const profiles = this.#profiles.get(node);
    if (profiles === undefined) return {};
    if (node.trigger.kind === "schedule") {
      const message = `${node.path} has a schedule, which Compose does not keep: it runs with --profile schedule`;
      this.#told.loss(about(node, "target-loss", message));
    }
    return { profiles };
  }

  #process(node: TargetNode): Service {
    const { env, dir, user, hosts, hostname, network, insecure, readonly, ulimits, limits, timeout } = node.process;
    if (timeout !== undefined) this.#told.loss(about(node, "target-loss", `The time limit of ${node.path} does not hold in Compose`));
    if (insecure) this.#told.loss(about(node, "target-loss", `${node.path} has all rights of the machine that it runs on`));
    const variables = env.map(([name, value]) => [
      name,
      typeof value === "string" ? plain(value) : this.#secrets.variable(value.secret, value.optional, node),
    ]);
    return {
      ...(variables.length === 0 ? {} : { environment: Object.fromEntries(variables) as object }),
      ...(dir === undefined ? {} : { working_dir: plain(dir) }),
      ...(user === undefined || user === "" ? {} : { user: plain(user) }),
      ...(hosts.length === 0 ? {} : { extra_hosts: hosts.map(([host, ip]) => `${host}=${ip}`) }),
      ...(hostname === undefined ? {} : { hostname }),
      ...(network === "sandbox" ? {} : { network_mode: network }),
      ...(insecure ? { privileged: true } : {}),
      ...(readonly ? { read_only: true } : {}),
      ...(ulimits.length === 0 ? {} : { ulimits: Object.fromEntries(ulimits) }),
      ...deploy(limits, node.replicas),
    };
  }

  #mounts(node: TargetNode): Service {
    const volumes: object[] = [];
    const configs: object[] = [];
    const secrets: object[] = [];
    if (node.outputs.length > 0) {
      this.#volumes[partsOf(node.name).out] = null;
      volumes.push(volumeAt(partsOf(node.name).out, "/out"));
    }
    for (const dir of node.image.dirs) if (dir !== "/out" || node.outputs.length === 0) volumes.push({ type: "volume", target: dir });
    for (const file of node.image.files) configs.push(this.#file(node, file.path, file.content, file.mode));
    for (const mount of node.mounts) {
      if (mount.kind === "output") volumes.push({ ...volumeAt(mount.volume, mount.dest), read_only: true });
      else if (mount.kind === "tmpfs")
        volumes.push({ type: "tmpfs", target: mount.dest, ...(mount.size === 0 ? {} : { tmpfs: { size: mount.size } }) });
      else if (mount.kind === "cache") volumes.push({ ...this.#cache(node, mount.dest), ...(mount.readonly ? { read_only: true } : {}) });
      else if (mount.kind === "volume") volumes.push(this.#kept(node, mount));
      else if (mount.kind === "secret") secrets.push(this.#secrets.mount(mount, node));
      else
        for (const { path, content, mode } of mount.files)
          configs.push(this.#file(node, path === "" ? mount.dest : `${mount.dest}/${path}`, content, mode));
    }
    return {
      ...(volumes.length === 0 ? {} : { volumes }),
      ...(configs.length === 0 ? {} : { configs }),
      ...(secrets.length === 0 ? {} : { secrets }),
    };
  }

  #kept(node: TargetNode, { dest, what }: Extract<TargetMount, { kind: "volume" }>): object {
    if (what.startsWith("/")) {
      this.#told.loss(about(node, "target-loss", `${what}, at ${dest} of ${node.path}, is a directory of the machine that it runs on`));
      return { type: "bind", source: plain(what), target: dest };
    }
    this.#volumes[what] = null;
    return volumeAt(what, dest);
  }

  #cache(node: TargetNode, dest: string): object {
    const name = labelOf(`${node.name}-cache${dest}`);
    this.#volumes[name] = null;
    return volumeAt(name, dest);
  }

  #file(node: TargetNode, path: string, content: string, mode: number): object {
    const source = this.#free(labelOf(`${node.name}${path}`, 60));
    this.#configs[source] = { content: plain(content) };
    return { source, target: plain(path), mode: `0${mode.toString(8)}` };
  }

  /** Different paths may be the same without what no name has. */
  #free(name: string): string {
    for (let count = 1; ; count++) {
      const free = count === 1 ? name : `${name}-${count}`;
      if (!Object.hasOwn(this.#configs, free)) return free;
    }
  }

  #needs(node: TargetNode): Record<string, object> {
    const done = { condition: "service_completed_successfully" };
    const needs: Record<string, object> = {};
    for (const need of node.needs) {
      if (need.kind === "daemon") needs[need.name] = { condition: isWatched(need) ? "service_healthy" : "service_started" };
      else needs[need.outputs.length > 0 ? partsOf(need.name).outputs : need.name] = done;
    }
    if (node.daemon !== undefined && node.daemon.onStart.length > 0) needs[partsOf(node.name).start] = done;
    return needs;
  }

  #task({ process: { retries } }: TargetNode): Service {
    return retries === 0 ? {} : { restart: `on-failure:${retries}` };
  }

  #daemon(node: TargetNode): Service {
    const { daemon } = node;
    if (daemon === undefined) return {};
    if (daemon.onExit.length > 0) this.#told.loss(about(node, "target-loss", `onExit of ${node.path} does not run in Compose`));
    if (daemon.onStart.length > 0) this.#start(node, daemon.onStart);
    const health = healthcheck(node, this.#told);
    return {
      restart: daemon.restart === "never" ? "no" : daemon.restart,
      stop_grace_period: `${Math.ceil(daemon.grace / 1000)}s`,
      ...(health === undefined ? {} : { healthcheck: health }),
      ...this.#ports(node),
    };
  }

  /** What runs before a daemon is a service that ends. */
  #start(node: TargetNode, args: readonly string[]): void {
    this.#services[partsOf(node.name).start] = {
      image: node.ref,
      entrypoint: args.map(plain),
      ...this.#process({ ...node, replicas: 1 }),
      ...this.#mounts(node),
    };
  }

  /** Where a daemon of this machine is reached now: several cannot have one port. */
  #ports(node: TargetNode): Service {
    const { ports, replicas, process } = node;
    if (ports.length === 0 || process.network !== "sandbox") return {};
    if (replicas > 1) {
      this.#told.loss(
        about(
          node,
          "target-loss",
          `${node.path} is reached by other services only: ${replicas} of it cannot have the same port of a machine`,
        ),
      );
      return { expose: ports.map(({ container, protocol }) => `${container}${protocolWords(protocol)}`) };
    }
    for (const { machine, protocol } of ports) {
      const port = `${machine}${protocolWords(protocol)}`;
      const other = this.#published.get(port);
      this.#published.set(port, node);
      if (other === undefined || other === node) continue;
      const message = `${other.path} and ${node.path} both take connections at port ${port}`;
      this.#told.problem({ ...about(node, "target-step", message, "Let one of them take another one"), at: [...node.at, ...other.at] });
    }
    const publishing = ({ address, machine, container, protocol }: PublishedPort): string =>
      `${address === undefined ? "" : `${address}:`}${machine}:${container}${protocolWords(protocol)}`;
    return { ports: ports.map(publishing) };
  }
}

function protocolWords(protocol: PublishedPort["protocol"]): string {
  return protocol === "tcp" ? "" : `/${protocol}`;
}

function deploy({ memory, cpus }: TargetNode["process"]["limits"], replicas: number): Service {
  const limits = { ...(cpus === undefined ? {} : { cpus: String(cpus) }), ...(memory === undefined ? {} : { memory: `${memory}b` }) };
  const parts = { ...(replicas === 1 ? {} : { replicas }), ...(Object.keys(limits).length === 0 ? {} : { resources: { limits } }) };
  return some("deploy", parts);
}

function isWatched({ daemon }: TargetNode): boolean {
  return daemon?.ready !== undefined && daemon.ready.kind !== "log";
}

/** A profile for each trigger that does not run a node with everything else. */
function profilesOf(nodes: readonly TargetNode[]): ReadonlyMap<TargetNode, readonly string[]> {
  const usual = new Set(
    withNeeds(
      nodes.filter(({ trigger }) => trigger.kind === "auto"),
      nodes,
    ),
  );
  const profiles = new Map<TargetNode, string[]>();
  for (const node of nodes.filter((one) => !usual.has(one))) {
    for (const one of withNeeds([node], nodes)) {
      const known = profiles.get(one) ?? [];
      if (!usual.has(one) && !known.includes(node.trigger.kind)) profiles.set(one, [...known, node.trigger.kind]);
    }
  }
  return profiles;
}

function volumeAt(source: string, target: string): object {
  return { type: "volume", source, target };
}

function some(label: string, fields: object): Record<string, object> {
  return Object.keys(fields).length === 0 ? {} : { [label]: fields };
}
