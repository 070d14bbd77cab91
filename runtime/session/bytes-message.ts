// BytesMessage { data = 1 }, which byte streams inside gRPC are made of, read and written without a copy.
import { fieldHeader } from "../grpc/frame.ts";

/** The data as a view into the message. Throws RangeError when it is another message. */
export function bytesOf(message: Buffer): Buffer {
  if (message.length === 0) return message;
  let length = 0;
  let scale = 1;
  let at = 1;
  for (; at < message.length && at < 7; at++) {
    const byte = message[at] as number;
    length += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) break;
  }
  if (message[0] !== 10 || at + 1 + length !== message.length) throw new RangeError("a message holds something else than bytes");
  return message.subarray(at + 1);
}

/** What goes before `length` bytes of data to make them a message. */
export function bytesHeader(length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : fieldHeader(1, length);
}
