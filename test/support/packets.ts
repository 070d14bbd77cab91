// Single packets of fsutil's protocol, for tests.
import { type Stat, StatFrames } from "../../runtime/session/packet.ts";

/** The framed STAT packet of `stat`. */
export function encodeStat(stat: Stat): Buffer {
  const frames = new StatFrames(256);
  frames.add(stat);
  return frames.take();
}
