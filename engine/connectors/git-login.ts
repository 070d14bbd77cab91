// The environment in which git uses a connector's token: it is in no argument, and nobody is asked.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connector } from "./connector.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs `use` with the environment of a git that logs in where the connector's addresses begin. */
export async function withGitLogin<T>(
  { url = "", username = "x-access-token", ca }: Connector["fields"],
  token: string,
  env: Environment,
  use: (env: Environment) => Promise<T>,
): Promise<T> {
  const login = `Authorization: Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`;
  const dir = await mkdtemp(join(tmpdir(), "dagger-connector-"));
  try {
    const file = join(dir, "ca.pem");
    if (ca !== undefined) await writeFile(file, ca);
    const settings = {
      [`http.${url}.extraHeader`]: login,
      "http.followRedirects": "initial",
      "credential.helper": "",
      ...(ca === undefined ? {} : { "http.sslCAInfo": file }),
    };
    return await use({ ...quietGit(env), ...configured(settings) });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Nobody is there to answer a question, and no repository around the current directory is meant. */
export function quietGit(env: Environment): Environment {
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, ...others } = env;
  return { ...others, GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "", SSH_ASKPASS: "", LC_ALL: "C" };
}

function configured(settings: Readonly<Record<string, string>>): Environment {
  const entries = Object.entries(settings);
  const keys = entries.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: `${entries.length}`, ...Object.fromEntries(keys) };
}
