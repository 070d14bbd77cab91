// One upload and one export in a process of their own, which prints the most memory it took: argv is address, directory, destination.
import { createReceiver } from "../../runtime/session/index.ts";
import { connect } from "../../runtime/solve/index.ts";
import { copy, definition, file, mkdir, source } from "./llb.ts";

const [address, dir, dest] = process.argv.slice(2) as [string, string, string];

async function main(): Promise<void> {
  const client = await connect(address);
  const receiver = createReceiver({ memory: [], dirs: [{ prefix: "d", dest }] });
  const session = {
    sharedKey: dir,
    name: "child",
    locals: new Map([["l", { dir }]]),
    receiver,
    secrets: async () => undefined,
    layouts: new Map(),
  };
  const build = await client.build({ session, exporters: [{ type: "local", attrs: {} }], record: false, onStatus: () => {} });
  await build.finish(definition(file(undefined, [mkdir("/d"), copy(source("local://l"), "/", "/d/")])));
  await receiver.commit();
  client.close();
  process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
}

await main();
