// A daemon, a client of it and the busybox image, for the tests of one file that solve: started before them, ended after them.
import { after, before } from "node:test";
import { type Client, connect } from "../../runtime/solve/index.ts";
import { startBuildkitd, type TestDaemon } from "./buildkitd.ts";
import { busyboxLayout, type TestLayout } from "./images.ts";
import { layoutImage, type Node } from "./llb.ts";

export interface Solving {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly layout: TestLayout;
  /** The busybox image, out of the store `busybox`. */
  readonly image: Node;
}

/** Called once at the top of a test file; its parts are there when the tests run. */
export function solving(): Solving {
  let layout: TestLayout;
  let daemon: TestDaemon;
  let client: Client;
  before(async () => {
    layout = await busyboxLayout();
    daemon = await startBuildkitd();
    client = await connect(daemon.address);
  });
  after(async () => {
    client?.close();
    await daemon?.stop();
  });
  return {
    get daemon() {
      return daemon;
    },
    get client() {
      return client;
    },
    get layout() {
      return layout;
    },
    get image() {
      return layoutImage("busybox", layout.digest);
    },
  };
}
