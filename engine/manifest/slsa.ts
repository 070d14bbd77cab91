// A manifest as an in-toto statement with SLSA provenance: what tools that verify builds read.
import { inputError } from "../../compiler/index.ts";
import { detailOf } from "../sources/versions.ts";
import type { Datum, Json } from "../store/index.ts";
import { version } from "../version.ts";
import { keyText, type Manifest, parentsOf } from "./manifest.ts";

interface Resource {
  readonly name?: string;
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** https://slsa.dev/spec/v1.0/provenance. Throws UserError (2) `not-computed` for a version that no node made. */
export function slsaOf(manifest: Manifest): Json {
  const { data, edges, runs } = manifest;
  const subject = data.find((one) => one.kind === "version" && `${one.name}:${one.id}` === manifest.of);
  const byKey = new Map(data.map((one) => [keyText(one), one]));
  const made = (parentsOf(edges).get(`version ${manifest.of}`) ?? []).filter(({ kind }) => kind === "output");
  const computation = byKey.get(keyText(made.at(-1)?.parent ?? { kind: "computation", name: "", id: "" }));
  if (subject === undefined || computation === undefined) {
    const message = `No node made ${manifest.of}: there is no provenance of a build to tell`;
    throw inputError({ code: "not-computed", message, at: [], hint: "Leave --slsa out to see what is known of it" });
  }
  const {
    command = [],
    labels = [],
    inputs = [],
    volumes = [],
    image = "",
  } = computation.detail as Readonly<Record<string, readonly string[] & string>>;
  const run = computation.run === undefined ? undefined : runs.get(computation.run);
  const time = (stamp: number | undefined): string | undefined => (stamp === undefined ? undefined : new Date(stamp).toISOString());
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: subject.name, digest: digestOf(subject) }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://cuellb.dev/data/node",
        externalParameters: { node: computation.name, command, labels, inputs, volumes, image },
        internalParameters: {},
        resolvedDependencies: dependencies(data, subject),
      },
      runDetails: {
        builder: {
          id: "https://cuellb.dev/dagger",
          version: { dagger: version.dagger, ...(run === undefined ? {} : { buildkit: run.versions.buildkit }) },
        },
        metadata: {
          invocationId: computation.run ?? computation.id,
          startedOn: time(run?.started ?? run?.created ?? computation.time),
          finishedOn: time(run?.ended),
        },
      },
    },
  };
  // What is not known is left out.
  return JSON.parse(JSON.stringify(statement)) as Json;
}

/** Everything above the subject that has a digest: versions of sources, and the images of commands. */
function dependencies(data: readonly Datum[], subject: Datum): readonly Resource[] {
  const found = new Map<string, Resource>();
  for (const one of data) {
    if (one === subject) continue;
    if (one.kind === "version") {
      const { url, location, kind, commit } = detailOf(one);
      const uri = kind === "git" ? `git+${location ?? ""}${commit === undefined ? "" : `@${commit}`}` : (url ?? location ?? one.name);
      found.set(keyText(one), { name: one.name, uri, digest: digestOf(one) });
      continue;
    }
    const { image = "" } = one.detail as { readonly image?: string };
    const [name = "", digest = ""] = image.split("@");
    if (digest !== "") found.set(image, { name, uri: `docker-image://${image}`, digest: { sha256: digest.replace("sha256:", "") } });
  }
  return [...found.values()];
}

/** By the names that in-toto has for algorithms. */
function digestOf(datum: Datum): Readonly<Record<string, string>> {
  const [algorithm = "", hex = ""] = datum.id.split(":");
  const { kind, path } = detailOf(datum);
  if (kind === "git") return { [path === undefined ? "gitCommit" : "gitTree"]: hex };
  return { [algorithm]: hex };
}
