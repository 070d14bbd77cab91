// dagger test.
import type { Command } from "commander";
import type { TestFlags } from "../commands/test.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addRun } from "./flags.ts";
import { addTypedInputs } from "./run.ts";

export function addTest(program: Command, context: Context): void {
  const test = addCommand(
    program,
    "test",
    "Run the tests of a config, each whatever becomes of the others, and tell what their reports say",
    "Tests are components marked with @dagger(test), and those with a field marked with @dagger(report), as task.#Test has one.",
    ["$ dagger test", "$ dagger test ./ci -t app.unit", "$ dagger test --junit report.xml", "$ dagger test --output json | jq .failed"],
  );
  addOutput(addTypedInputs(addRun(test)))
    .option("--junit <file>", "write the reports of all tests as one JUnit XML file")
    .action(async (dir: string | undefined, flags: TestFlags) => {
      const { testCommand } = await import("../commands/test.ts");
      await testCommand(context, dir, flags);
    });
}
