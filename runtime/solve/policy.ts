// Source policy: rules by which the daemon allows, denies or replaces what a build fetches; read from the JSON that every BuildKit tool takes.
import { inputError } from "../../compiler/diagnostic.ts";
import { AttrMatch, MatchType, type Policy, PolicyAction } from "../../proto/gen/github.com/moby/buildkit/sourcepolicy/pb/policy.ts";

/** An encoded policy, for `BuildOptions.sourcePolicy`. */
export interface SourcePolicy {
  readonly message: Policy;
}

/**
 * Reads a policy file, e.g. `{"rules":[{"action":"DENY","selector":{"identifier":"docker-image://*"}}]}`. Enums may be names or numbers.
 * Throws UserError (exit 2) `bad-source-policy`. `name` is for messages.
 */
export function parseSourcePolicy(text: string, name: string): SourcePolicy {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw bad(name, `it is not valid JSON: ${(cause as Error).message}`);
  }
  const file = new Fields(root, "the policy", name, ["version", "rules"]);
  const rules = file.list("rules").map((rule, i) => readRule(rule, `rules[${i}]`, name));
  return { message: { version: BigInt(file.number("version") ?? 1), rules } };
}

/** Takes images by their digests: each name stands for one. */
export function pinningPolicy(images: Readonly<Record<string, string>>): SourcePolicy {
  const rules = Object.entries(images).map(([name, digest]) => ({
    action: PolicyAction.CONVERT,
    selector: { identifier: `docker-image://${name}`, match_type: MatchType.EXACT, constraints: [] },
    updates: { identifier: `docker-image://${name}@${digest}`, attrs: {} },
  }));
  return { message: { version: 1n, rules } };
}

/** The rules of both, the first ones first. */
export function joinPolicies(first: SourcePolicy | undefined, second: SourcePolicy | undefined): SourcePolicy | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return { message: { ...first.message, rules: [...first.message.rules, ...second.message.rules] } };
}

function readRule(value: unknown, where: string, name: string): Policy["rules"][number] {
  const rule = new Fields(value, where, name, ["action", "selector", "updates"]);
  const selector = new Fields(rule.get("selector"), `${where}.selector`, name, ["identifier", "matchType", "match_type", "constraints"]);
  const constraints = selector.list("constraints").map((entry, i) => {
    const constraint = new Fields(entry, `${where}.selector.constraints[${i}]`, name, ["key", "value", "condition"]);
    return { key: constraint.text("key"), value: constraint.text("value"), condition: constraint.oneOf("condition", AttrMatch) };
  });
  const identifier = selector.text("identifier");
  if (identifier === "") throw bad(name, `${where}.selector has no identifier`);
  const match_type = selector.oneOf(selector.get("matchType") === undefined ? "match_type" : "matchType", MatchType);
  return {
    action: rule.oneOf("action", PolicyAction),
    selector: { identifier, match_type, constraints },
    updates: rule.get("updates") === undefined ? undefined : readUpdates(rule.get("updates"), `${where}.updates`, name),
  };
}

function readUpdates(value: unknown, where: string, name: string): NonNullable<Policy["rules"][number]["updates"]> {
  const updates = new Fields(value, where, name, ["identifier", "attrs"]);
  const attrs = updates.get("attrs") ?? {};
  if (typeof attrs !== "object" || attrs === null || Object.values(attrs).some((attr) => typeof attr !== "string"))
    throw bad(name, `${where}.attrs must be an object of strings`);
  return { identifier: updates.text("identifier"), attrs: { ...(attrs as Record<string, string>) } };
}

/** A JSON object with known fields. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #name: string;

  constructor(value: unknown, where: string, name: string, known: readonly string[]) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(name, `${where} must be an object`);
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined)
      throw bad(name, `${where} has the unknown field ${JSON.stringify(unknown)}; it may have ${known.join(", ")}`);
    this.#fields = value as Readonly<Record<string, unknown>>;
    this.#where = where;
    this.#name = name;
  }

  get(field: string): unknown {
    return this.#fields[field];
  }

  text(field: string): string {
    const value = this.#fields[field] ?? "";
    if (typeof value !== "string") throw bad(this.#name, `${this.#where}.${field} must be a string`);
    return value;
  }

  number(field: string): number | undefined {
    const value = this.#fields[field];
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) throw bad(this.#name, `${this.#where}.${field} must be a whole number`);
    return value;
  }

  list(field: string): readonly unknown[] {
    const value = this.#fields[field] ?? [];
    if (!Array.isArray(value)) throw bad(this.#name, `${this.#where}.${field} must be a list`);
    return value as readonly unknown[];
  }

  oneOf<T extends number>(field: string, choices: Readonly<Record<string, T>>): T {
    const value = this.#fields[field] ?? 0;
    const found = typeof value === "string" ? choices[value.toUpperCase()] : Object.values(choices).find((choice) => choice === value);
    if (found === undefined) throw bad(this.#name, `${this.#where}.${field} must be one of ${Object.keys(choices).join(", ")}`);
    return found;
  }
}

function bad(name: string, why: string): Error {
  return inputError({
    code: "bad-source-policy",
    message: `Cannot use the source policy ${name}: ${why}`,
    at: [],
    hint: 'Write for example: {"rules": [{"action": "DENY", "selector": {"identifier": "docker-image://*"}}]}',
  });
}
