// What a person writes for a source (NAME LOCATION[:TAG], kind, path), read into a source: shortcuts, inference, inheritance.
import { existsSync } from "node:fs";
import { isAbsolute, join, posix, resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";
import { keptPath } from "../stacks/source.ts";
import type { Workspace } from "../workspace/find.ts";
import { checkPushSettings, type PushSettings, pushSettings } from "./conflict.ts";
import { isSourceKind, type Source, type SourceKind, sourceKinds } from "./source.ts";

export interface NewSource extends PushSettings {
  readonly name: string;
  /** An address, a shortcut of the kind, or the name of another source; without it a directory of the workspace's own. */
  readonly location?: string;
  /** `github`, `hockeyapp` and `S3` are names of kinds, too. */
  readonly kind?: string;
  readonly tag?: string;
  readonly path?: string;
  readonly connector?: string;
  readonly build?: string;
  /** Milliseconds between looks of a watch; 0 for never. */
  readonly poll?: number;
}

/** Kinds whose versions go by names. */
const tagged: readonly SourceKind[] = ["docker", "git"];
/** Kinds that have parts. */
const divided: readonly SourceKind[] = ["docker", "git", "s3", "path"];

/** Throws UserError (2) `source-kind`, `bad-source`. Nothing outside is asked. */
export function readWish(wish: NewSource, workspace: Workspace, cwd: string, others: readonly Source[]): Source {
  const { name, location, connector, build, poll } = wish;
  const parent = wish.kind === undefined ? others.find((one) => one.name === location) : undefined;
  const source = parent === undefined ? fresh(wish, workspace, cwd) : inherited(wish, parent);
  const { kind } = source;
  const tag = wish.tag ?? source.tag;
  const given = { ...source, ...(tag === undefined ? {} : { tag }), ...(connector === undefined ? {} : { connector }) };
  if (tag !== undefined && !tagged.includes(kind)) throw wrong(name, `a source of kind ${kind} has no tags`, "Leave the tag out");
  if (tag !== undefined && !/^[^-\s:~^?*[\\][^\s:~^?*[\\]*$/.test(tag))
    throw wrong(name, `${JSON.stringify(tag)} is no tag`, "Write for example main or v1.2");
  if (source.path !== undefined && !divided.includes(kind)) throw wrong(name, `a source of kind ${kind} has no paths`, "Leave --path out");
  if (build !== undefined && kind !== "release") throw wrong(name, `a source of kind ${kind} has no builds`, "Leave --build out");
  checkPushSettings(wish, { name, kind });
  return { ...given, ...(build === undefined ? {} : { build }), ...(poll === undefined ? {} : { poll }), ...said(wish) };
}

/** Those settings of pushes that there are. */
export function said(settings: PushSettings): PushSettings {
  return Object.fromEntries(pushSettings.flatMap((key) => (settings[key] === undefined ? [] : [[key, settings[key]]])));
}

/** Kind, location, tag and path are the parent's; a path is relative to the parent's. */
function inherited({ name, path, tag }: NewSource, parent: Source): Source {
  const { pin: _pin, paused: _paused, path: above = "/", ...rest } = parent;
  const inside = path === undefined ? above : cleanPath(name, posix.join(above, cleanPath(name, path)));
  return { ...rest, name, parent: parent.name, ...(tag === undefined ? {} : { tag }), ...(inside === "/" ? {} : { path: inside }) };
}

function fresh(wish: NewSource, workspace: Workspace, cwd: string): Source {
  const { name, location, path } = wish;
  const inside = path === undefined ? "/" : cleanPath(name, path);
  const part = inside === "/" ? {} : { path: inside };
  if (location === undefined) {
    if (wish.kind !== undefined && wish.kind !== "path") throw wrong(name, "it has no location", "Write where it is, behind its name");
    // Of this machine: what is in it is made by nodes.
    return { name, kind: "path", location: join(".dagger", "state", "sources", name), ...part };
  }
  const word = wish.kind ?? inferKind(location, cwd);
  const kind = kindOf(word, location, name);
  return { name, kind, ...part, ...placeOf(kind, word, location, name, workspace, cwd) };
}

function kindOf(word: string | undefined, location: string, name: string): SourceKind {
  const kind = word === "github" ? "git" : word === "hockeyapp" ? "release" : word?.toLowerCase();
  if (isSourceKind(kind)) return kind;
  const kinds = `Say it with --kind: ${[...sourceKinds, "github"].join(", ")}`;
  const message =
    word === undefined
      ? `Cannot tell what kind of source ${name} is by its location ${JSON.stringify(location)}`
      : `There is no kind of sources ${JSON.stringify(word)}`;
  throw inputError({ code: "source-kind", message, at: [], hint: kinds });
}

/** What a location looks like; undefined for a word that could be anything. */
function inferKind(location: string, cwd: string): string | undefined {
  if (/^(\/|\.{1,2}(\/|$)|~\/)/.test(location)) return "path";
  if (/^s3:\/\//i.test(location)) return "s3";
  if (/^(git|ssh|git\+\w+):\/\//.test(location) || /^[\w.-]+@[\w.-]+:/.test(location)) return "git";
  if (/^https?:\/\/github\.com\/[^/]+\/[^/]+$/.test(location) || /^https?:\/\/.*\.git([:#].*)?$/.test(location)) return "git";
  if (/^https?:\/\//.test(location)) return "http";
  if (existsSync(resolve(cwd, location))) return "path";
  return /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)+([:@][\w.:-]+)?$|^[a-z0-9._-]+:[\w.-]+$/.test(location) ? "docker" : undefined;
}

type Place = Pick<Source, "location" | "tag" | "pin" | "path">;

function placeOf(kind: SourceKind, word: string | undefined, location: string, name: string, workspace: Workspace, cwd: string): Place {
  switch (kind) {
    case "docker":
      return imagePlace(location, name);
    case "git":
      return gitPlace(word === "github" ? fromGithub(location, name) : location, name, cwd, workspace);
    case "s3": {
      const [bucket = "", ...prefix] = location.replace(/^s3:\/\//i, "").split("/");
      if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw wrong(name, `${JSON.stringify(bucket)} is no name of a bucket`, "");
      const path = cleanPath(name, prefix.join("/"));
      return { location: bucket, ...(path === "/" ? {} : { path }) };
    }
    case "path":
      return { location: keptPath(workspace, isAbsolute(location) ? resolve(location) : resolve(cwd, location)) };
    case "http":
    case "release": {
      if (!/^https?:\/\/./.test(location) || !URL.canParse(location)) {
        const hint =
          word === "hockeyapp"
            ? "HockeyApp is no more: give the address of a JSON list of releases"
            : "Write for example https://example.com/releases.json";
        throw wrong(name, `${JSON.stringify(location)} is no http:// or https:// address`, hint);
      }
      return { location: withoutPassword(location, name) };
    }
  }
}

function imagePlace(text: string, name: string): Place {
  const [front = "", digest] = text.split("@");
  const colon = front.indexOf(":", front.lastIndexOf("/") + 1);
  const location = colon < 0 ? front : front.slice(0, colon);
  if (!/^[a-zA-Z0-9][\w./:-]*$/.test(location))
    throw wrong(name, `${JSON.stringify(text)} is no image`, "Write for example debian:bookworm");
  return {
    location,
    ...(colon < 0 ? (digest === undefined ? { tag: "latest" } : {}) : { tag: front.slice(colon + 1) }),
    ...(digest === undefined ? {} : { pin: digest }),
  };
}

function fromGithub(text: string, name: string): string {
  if (/^https?:\/\//.test(text)) return text;
  if (/^[\w.-]+\/[\w.-]+(:[^:]+)?$/.test(text)) return `https://github.com/${text}`;
  throw wrong(name, `${JSON.stringify(text)} is no repository of GitHub`, "Write USER/REPOSITORY, for example docker/pinata");
}

/** `…/repository:TAG` or `…#TAG`; the first colon of `user@host:path` belongs to the address. */
function gitPlace(text: string, name: string, cwd: string, workspace: Workspace): Place {
  const [, scheme = "", rest = ""] = /^(\w[\w+]*:\/\/|[\w.-]+@[\w.-]+:)?(.*)$/s.exec(text) ?? [];
  const [, path = "", afterHash, afterColon] = /^([^#]*?)(?:#(.+)|:([^:/]+))?$/s.exec(rest) ?? [];
  const named = afterHash ?? afterColon;
  const address = `${scheme}${path}`;
  if (path === "" || address.startsWith("-") || address.startsWith("ext::"))
    throw wrong(name, `${JSON.stringify(text)} is no address of a git repository`, "Write for example https://example.com/app.git");
  // A repository of this machine is meant from every directory of the workspace.
  const location = scheme === "" ? keptPath(workspace, resolve(cwd, path)) : withoutPassword(address, name);
  return { location, ...(named === undefined ? {} : { tag: named }) };
}

function withoutPassword(address: string, name: string): string {
  if (!/^\w[\w+]*:\/\/[^/@]*:[^/@]*@/.test(address)) return address;
  throw wrong(
    name,
    "its address has a password, which would be kept in a file of the workspace",
    "Leave it out, and make a connector for it",
  );
}

/** From `/`, without dots; `/` for all. */
function cleanPath(name: string, path: string): string {
  const clean = posix.normalize(`/${path}`).replace(/\/+$/, "") || "/";
  const depth = path
    .split("/")
    .reduce((level, part) => (level < 0 || part === "" || part === "." ? level : level + (part === ".." ? -1 : 1)), 0);
  if (depth < 0) throw wrong(name, `the path ${JSON.stringify(path)} leads out of it`, "Write a path in the source, such as /v1/pitfall");
  return clean;
}

function wrong(name: string, why: string, hint: string): Error {
  return inputError({ code: "bad-source", message: `Cannot take the source ${name} so: ${why}`, at: [], ...(hint === "" ? {} : { hint }) });
}
