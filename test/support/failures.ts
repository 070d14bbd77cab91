// How work is expected to fail: with a UserError, of which a test says what must be in it.
import assert from "node:assert/strict";
import { UserError } from "../../compiler/diagnostic.ts";

/** The UserError that the work ends with; anything else fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<UserError> {
  const error = await work.then(
    () => assert.fail("it did not fail"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error instanceof Error ? error.stack : error));
  return error;
}

/** For `assert.rejects`: a UserError whose first diagnostic has this code, and whose message matches. */
export function fails(code: string, exit: number, has: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.diagnostics[0]?.code, code);
    assert.equal(error.exit, exit);
    assert.match(error.message, has);
    return true;
  };
}
