// Reading files and directories inside the daemon: of results, and of containers that run.
import {
  ReadDirRequest,
  ReadDirResponse,
  ReadFileRequest,
  ReadFileResponse,
  StatFileRequest,
  StatFileResponse,
} from "../../proto/gen/github.com/moby/buildkit/frontend/gateway/pb/gateway.ts";
import type { Stat } from "../../proto/gen/github.com/tonistiigi/fsutil/types/stat.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { bridgeMethod, type GatewayCall } from "./gateway-methods.ts";

const methods = {
  result: {
    readFile: bridgeMethod("ReadFile", ReadFileRequest, ReadFileResponse),
    readDir: bridgeMethod("ReadDir", ReadDirRequest, ReadDirResponse),
    stat: bridgeMethod("StatFile", StatFileRequest, StatFileResponse),
  },
  container: {
    readFile: bridgeMethod("ReadFileContainer", ReadFileRequest, ReadFileResponse),
    readDir: bridgeMethod("ReadDirContainer", ReadDirRequest, ReadDirResponse),
    stat: bridgeMethod("StatFileContainer", StatFileRequest, StatFileResponse),
  },
};

/** Files are read in pieces of this size: a message may have 16 MiB. */
const pieceSize = 8 << 20;

export interface DirEntry {
  readonly name: string;
  /** Go's FileMode. */
  readonly mode: number;
  readonly size: number;
  /** Target of a symlink. */
  readonly linkname: string;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly modTime: bigint;
}

/** Bytes `offset` to `offset + length`; to the end of the file without `length`. */
export interface FileRange {
  readonly offset?: number;
  readonly length?: number;
}

/** All paths are absolute, symlinks are followed inside the tree. Throws RpcError, with code `notFound` where there is nothing. */
export interface FileTree {
  readFile(path: string, range?: FileRange, mountIndex?: number): Promise<Buffer>;
  /** The entries whose name matches `pattern` (Go's path.Match); all without it. */
  readDir(path: string, pattern?: string, mountIndex?: number): Promise<DirEntry[]>;
  /** Of the file itself: a symlink at the end of the path is not followed. */
  stat(path: string, mountIndex?: number): Promise<DirEntry>;
}

/** Of a result (`id` of its ref) or of a container. */
export function fileTree(call: GatewayCall, id: string, kind: "result" | "container"): FileTree {
  const { readFile, readDir, stat } = methods[kind];
  const { connection, options } = call;
  const piece = async (path: string, offset: number, length: number, mountIndex: number): Promise<Buffer> => {
    const request = { Ref: id, FilePath: path, Range: { Offset: BigInt(offset), Length: BigInt(length) }, MountIndex: mountIndex };
    return (await connection.unary(readFile, request, options)).Data;
  };
  return {
    readFile: async (path, range = {}, mountIndex = 0) => {
      const { offset = 0, length = Number.POSITIVE_INFINITY } = range;
      const pieces: Buffer[] = [];
      for (let done = 0; done < length; ) {
        const wanted = Math.min(pieceSize, length - done);
        const data = await piece(path, offset + done, wanted, mountIndex);
        pieces.push(data);
        done += data.length;
        if (data.length < wanted) break;
      }
      return Buffer.concat(pieces);
    },
    readDir: async (path, pattern = "", mountIndex = 0) => {
      const request = { Ref: id, DirPath: path, IncludePattern: pattern, MountIndex: mountIndex };
      return (await connection.unary(readDir, request, options)).entries.map(toEntry);
    },
    stat: async (path, mountIndex = 0) => {
      const { stat: found } = await connection.unary(stat, { Ref: id, Path: path, MountIndex: mountIndex }, options);
      if (found === undefined) throw new RpcError(Code.internal, `the daemon told nothing of ${path}`);
      return toEntry(found);
    },
  };
}

function toEntry(stat: Stat): DirEntry {
  const { path, mode, linkname, uid, gid, modTime } = stat;
  return { name: path, mode, size: Number(stat.size), linkname, uid, gid, modTime };
}
