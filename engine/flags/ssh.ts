// Reads --ssh flags: agents and keys that steps of the job may use.
import { homedir } from "node:os";
import type { Job } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";
import type { SshSource } from "../../runtime/session/index.ts";
import type { Surroundings } from "../request.ts";

/** `default`, `ID`, `ID=SOCKET[,raw=true]` or `ID=KEY[,KEY]`, as docker takes them; `~/` is the HOME of `env`. Throws UserError (2) for anything else. */
export function parseSsh(flags: readonly string[], env: Surroundings["env"]): SshSource[] {
  const seen = new Set<string>();
  return flags.map((flag) => {
    const cut = flag.indexOf("=");
    const id = cut === -1 ? flag : flag.slice(0, cut);
    const paths = cut === -1 ? [] : flag.slice(cut + 1).split(",");
    if (id === "" || paths.includes("")) throw bad(flag, "expected default, ID=SOCKET or ID=KEY");
    if (seen.has(id)) throw bad(flag, `${id} is given twice`);
    seen.add(id);
    const raw = paths.at(-1) === "raw=true";
    if (raw && paths.length !== 2) throw bad(flag, "raw=true takes one socket");
    const files = (raw ? paths.slice(0, -1) : paths).map((path) => withHome(path, env));
    return raw ? { id, paths: files, raw } : { id, paths: files };
  });
}

/** Fails before anything runs when the graph uses an agent that nobody gave. Optional ones are left out by the daemon. */
export function requireSsh(job: Job, given: ReadonlySet<string>): void {
  const missing = job.ssh.filter((agent) => !agent.optional && !given.has(agent.id));
  if (missing.length === 0) return;
  throw inputError(
    ...missing.map(({ id, at }) => ({
      code: "missing-ssh",
      message: `Missing SSH agent or socket ${JSON.stringify(id)}`,
      at,
      hint: id === "default" ? "Pass your own agent with --ssh default" : `Pass it with --ssh ${id}=SOCKET or --ssh ${id}=KEY`,
    })),
  );
}

/** Shells replace `~` only at the start of a word. */
function withHome(path: string, env: Surroundings["env"]): string {
  return path.startsWith("~/") ? (env["HOME"] ?? homedir()) + path.slice(1) : path;
}

function bad(flag: string, why: string): Error {
  return inputError({
    code: "bad-ssh-flag",
    message: `Cannot read --ssh ${JSON.stringify(flag)}: ${why}`,
    at: [],
    hint: "Write for example --ssh default for your own agent, or --ssh deploy=$HOME/.ssh/deploy_key",
  });
}
