// Asks the daemon's Dockerfile frontend, through the gateway of the run's one build.
import type { Definition, DockerfileRequest, FrontendAnswer, Frontends, LocalImage } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import { SolveError } from "../../runtime/solve/index.ts";
import type { OpenBuild } from "./connect.ts";

/** Inputs that the frontend computes to read the Dockerfile. */
const computed: ReadonlySet<string> = new Set(["context", "dockerfile"]);

const configKey = "containerimage.config";

export interface FrontendOptions {
  /** Gives the build, ready to be asked about graphs of the kind that are being made. */
  readonly open: () => Promise<OpenBuild>;
  /** Told of what is computed while the graph is still being made. */
  readonly onCompute?: (definition: Definition) => void;
  /** Checks directories of the client, and lets the session serve them. */
  readonly serve: Frontends["serve"];
  readonly localImages: Frontends["localImages"];
}

export function frontendPort({ open, onCompute, serve, localImages }: FrontendOptions): Frontends {
  const known = new Map<string, Promise<readonly LocalImage[]>>();
  const openFor = async (definitions: readonly Definition[]): Promise<OpenBuild> => {
    const opened = await open();
    for (const definition of definitions) await opened.check(definition);
    return opened;
  };
  return {
    serve,
    async dockerfile(request) {
      const { options } = request;
      const given = Object.entries(request.inputs);
      // The other ones are used only where the Dockerfile names them: what the whole graph then has of them is checked with it.
      const { build } = await openFor(given.flatMap(([name, definition]) => (computed.has(name) ? definition : [])));
      const inputs = Object.fromEntries(given.map(([name, { encoded }]) => [name, encoded]));
      return explained(request, async () => {
        const { refs, metadata } = await build.gateway((gateway) => gateway.solveFrontend({ frontend: "dockerfile.v0", options, inputs }));
        return answerOf(request, [...refs.values()], metadata[configKey]);
      });
    },
    async readFirst(definition, paths) {
      const { build } = await openFor([definition]);
      onCompute?.(definition);
      const ref = await build.solve(definition.encoded);
      for (const path of paths) {
        const slash = path.lastIndexOf("/");
        const found = await build.readDir(ref, slash < 0 ? "/" : path.slice(0, slash), undefined).catch(notThere);
        const name = path.slice(slash + 1);
        if (found.some((entry) => entry.name === name)) return build.readFile(ref, path);
      }
      return undefined;
    },
    localImages(platform) {
      const key = JSON.stringify(platform);
      const listed = known.get(key) ?? localImages(platform);
      known.set(key, listed);
      return listed;
    },
  };
}

/** The directory of a file that is not there need not be there either. */
function notThere(error: unknown): [] {
  if (error instanceof SolveError && error.failure.vertex === undefined) return [];
  throw error;
}

function answerOf(request: DockerfileRequest, refs: readonly { definition: Uint8Array }[], config: Uint8Array | undefined): FrontendAnswer {
  const [ref] = refs;
  if (ref === undefined || refs.length > 1 || config === undefined) {
    throw failure(request, "the daemon's Dockerfile frontend gave no single image", []);
  }
  return { definition: ref.definition, config };
}

/** What is wrong with a Dockerfile is told at its line, then at the op's. Failures of steps below it are left as they are. */
async function explained<T>(request: DockerfileRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SolveError) || error.failure.vertex !== undefined || error.exit !== 1) throw error;
    const { ranges } = error.failure;
    const reason = error.failure.reason.replace(/^(failed to solve with frontend \S+: |failed to create LLB definition: )+/, "");
    const lines = ranges.map((range) => ({ file: request.file, line: range.startLine, column: range.startCharacter + 1 }));
    throw failure(request, reason, lines, error);
  }
}

function failure(request: DockerfileRequest, reason: string, lines: UserError["diagnostics"][number]["at"], cause?: unknown): UserError {
  const { path, at, file } = request;
  const missing = /failed to read dockerfile: .*no such file/.test(reason);
  const diagnostic = {
    code: "bad-dockerfile",
    message: missing ? `There is no ${file} in the context` : `Cannot build ${file}: ${reason}`,
    path,
    at: [...lines, ...at],
    ...(missing ? { hint: "Name it with dockerfilePath, or give its text with dockerfile" } : {}),
  };
  return new UserError(2, [diagnostic], { cause });
}
