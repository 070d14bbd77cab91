// What a process is told when a run or a lease is not its own any more.
import { UserError } from "../../../compiler/index.ts";

export function takenOver(id: string): UserError {
  const message = `The run ${id} does not belong to this process any more: it is over, or another process took its place`;
  const hint = "Look at the state of the run, and run it again";
  return new UserError(3, [{ code: "run-taken-over", message, at: [], hint }]);
}

export function jobTakenOver(id: string): UserError {
  const message = `The job ${id} does not belong to this process any more: it is over, or another worker has it`;
  const hint = "Look at the state of the job: dagger queue list";
  return new UserError(3, [{ code: "job-taken-over", message, at: [], hint }]);
}

export function leaseLost(): UserError {
  const message = "Another process took the place of this one, which had not been heard of for too long";
  return new UserError(3, [{ code: "lease-lost", message, at: [], hint: "Run it again" }]);
}

export function superseded(): UserError {
  const message = "A newer run took the place of this one";
  return new UserError(1, [{ code: "run-superseded", message, at: [], hint: "Look at the newer run" }]);
}

export function cancelled(id: string, reason: string): UserError {
  if (reason === "superseded") return superseded();
  const message = `The run ${id} was cancelled: ${reason}`;
  return new UserError(130, [{ code: "run-cancelled", message, at: [], hint: "Run it again" }]);
}
