// Tags: what a job asks a worker to have.
import { inputError } from "../../compiler/index.ts";

/** Letters, digits and what stands between them: a list of tags has commas. */
const tagForm = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;

/** Throws UserError (2) `bad-tag`. */
export function checkTags(tags: readonly string[]): void {
  const wrong = tags.find((tag) => !tagForm.test(tag));
  if (wrong === undefined) return;
  const hint = "A tag is of letters, digits, `.`, `_`, `/` and `-`, for example osx or gpu/a100; tags are separated by commas";
  throw inputError({ code: "bad-tag", message: `${JSON.stringify(wrong)} is no tag`, at: [], hint });
}
