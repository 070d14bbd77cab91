// Why a secret that was given cannot be used: nothing is there, or what is there is empty.
import { inputError, type Position, type UserError } from "../../compiler/index.ts";

/** `reference` is where it is to come from, e.g. `env:TOKEN`. The code is `secret-env-not-set`, `secret-not-found` or `empty-secret` (2). */
export function missingSecret(id: string, reference: string, isEmpty: boolean, at: readonly Position[]): UserError {
  const colon = reference.indexOf(":");
  const [kind, rest] = [reference.slice(0, colon), reference.slice(colon + 1)];
  const what = `Secret ${JSON.stringify(id)} is to come from`;
  if (isEmpty) {
    const place = kind === "env" ? `the environment variable ${rest}` : kind === "cmd" ? "a command" : reference;
    const hint =
      kind === "env" ? `Set ${rest} to the value: an empty one is mostly a secret that CI does not have` : "Look at where it comes from";
    return inputError({
      code: "empty-secret",
      message: `${what} ${place}, which ${kind === "cmd" ? "prints nothing" : "is empty"}`,
      at,
      hint,
    });
  }
  if (kind === "env") {
    const hint = `Set ${rest}, or name another source with --secret`;
    return inputError({ code: "secret-env-not-set", message: `${what} the environment variable ${rest}, which is not set`, at, hint });
  }
  return inputError({
    code: "secret-not-found",
    message: `${what} ${reference}, where there is none of that name`,
    at,
    hint: kind === "age" ? "Check the name: `dagger secret list` shows those of an environment" : "Check the name",
  });
}
