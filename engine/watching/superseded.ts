// What a run is told whose place the next one takes.
import { UserError } from "../../compiler/index.ts";

export function superseded(): UserError {
  return new UserError(130, [{ code: "run-superseded", message: "Something changed while it ran: the next run takes its place", at: [] }]);
}
