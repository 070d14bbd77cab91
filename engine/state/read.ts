// What environments gave last: the outputs of the last success of each component, and where they came from.
import { inputError, nearest } from "../../compiler/index.ts";
import { chosenEnvironment, type HistoryRequest, type HistoryWish, withStore } from "../history/open.ts";
import type { Json, Output } from "../store/index.ts";
import { mergedValues } from "./find.ts";
import { labelsOf, valueAt } from "./path.ts";

/** By component; that of a whole config is not among them. */
export async function listOutputs(request: HistoryRequest, wish: HistoryWish): Promise<readonly Output[]> {
  return (await everything(request, wish)).filter(({ component }) => component !== "");
}

/** Throws UserError (2) `unknown-output`. */
export async function getOutput(request: HistoryRequest, wish: HistoryWish, name: string): Promise<Output> {
  const all = await listOutputs(request, wish);
  const found = all.find(({ component }) => component === name);
  if (found !== undefined) return found;
  throw unknown(
    `No run gave an output ${JSON.stringify(name)}`,
    name,
    all.map(({ component }) => component),
  );
}

/** The value at a CUE path of the config's last success, with what its components gave since; all of it without a path. Throws `unknown-output`. */
export async function query(request: HistoryRequest, wish: HistoryWish, path: string): Promise<Json> {
  const all = await everything(request, wish);
  const found = valueAt(mergedValues(all), labelsOf(path));
  if (found !== undefined) return found;
  throw unknown(
    `There is no value at ${path}`,
    path,
    all.map(({ component }) => component),
  );
}

async function everything(request: HistoryRequest, wish: HistoryWish): Promise<readonly Output[]> {
  return withStore(request, async (store, workspace) => {
    const { stack, env } = await chosenEnvironment(workspace, wish, request);
    const all = store === undefined ? [] : await store.outputs.list(stack, env);
    if (all.length > 0) return all;
    throw inputError({
      code: "no-outputs",
      message: `Nothing was recorded yet of ${stack === "" ? env : `${stack}/${env}`}`,
      at: [],
      hint: "Run it: dagger up. -s and -e choose another stack and environment",
    });
  });
}

function unknown(message: string, wanted: string, known: readonly string[]): Error {
  const [near] = nearest(
    wanted,
    known.filter((name) => name !== ""),
  );
  const hint = near === undefined ? "See what there is: dagger output list" : `Did you mean ${near}?`;
  return inputError({ code: "unknown-output", message, at: [], hint });
}
