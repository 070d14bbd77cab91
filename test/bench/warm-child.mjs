// Solves one Definition (stdin) many times over one connection, through the built cuellb/client, and prints how long each solve took (ms). The
// twin of tools/bench-client. argv: ADDRESS ROUNDS [NAME=DIR of an OCI layout]
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { connect, createReceiver, services } from "cuellb/client";

const [address, rounds, layout = ""] = process.argv.slice(2);

const definition = readFileSync(0);
const cut = layout.indexOf("=");
const layouts = cut < 0 ? {} : { [layout.slice(0, cut)]: layout.slice(cut + 1) };
const client = await connect(address);
const times = [];
for (let round = 0; round < Number(rounds); round++) {
  const begin = performance.now();
  const receiver = createReceiver({ memory: ["values"], dirs: [] });
  const session = services({ layouts, receiver });
  const build = await client.build({ session, exporters: [{ type: "local", attrs: {} }], record: true, onStatus: () => undefined });
  await build.finish(definition);
  await receiver.commit();
  times.push(performance.now() - begin);
}
client.close();
process.stdout.write(JSON.stringify(times));
