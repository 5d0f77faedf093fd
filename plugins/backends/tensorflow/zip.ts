import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw, inflateRawSync } from 'node:zlib';

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/** A wheel is an ordinary zip file. It is read piece by piece: some are larger than the memory of a small machine. */
export class ZipFile {
  readonly path: string;
  readonly entries: ReadonlyMap<string, ZipEntry>;

  private constructor(path: string, entries: ReadonlyMap<string, ZipEntry>) {
    this.path = path;
    this.entries = entries;
  }

  /** Reads the list of contents at the end of the file. */
  static async open(path: string): Promise<ZipFile> {
    const file = await open(path, 'r');
    try {
      return new ZipFile(path, parseEntries(await readDirectory(file)));
    } finally {
      await file.close();
    }
  }

  /** A small file, as text. */
  async text(name: string): Promise<string> {
    const entry = this.entry(name);
    const file = await open(this.path, 'r');
    try {
      const start = await dataStart(file, entry);
      const packed = await readExactly(file, start, entry.packed);
      return (entry.method === 0 ? packed : inflateRawSync(packed)).toString('utf8');
    } finally {
      await file.close();
    }
  }

  /** Writes one file of the archive to `target`, in pieces. */
  async extract(name: string, target: string, signal?: AbortSignal): Promise<void> {
    const entry = this.entry(name);
    const file = await open(this.path, 'r');
    const start = await dataStart(file, entry).finally(() => file.close());
    await mkdir(dirname(target), { recursive: true });
    if (entry.packed === 0) return writeFile(target, '');
    const source = createReadStream(this.path, {
      start,
      end: start + entry.packed - 1,
      highWaterMark: 1 << 20,
    });
    const sink = createWriteStream(target);
    const how = signal ? { signal } : {};
    if (entry.method === 0) await pipeline(source, sink, how);
    else await pipeline(source, createInflateRaw({ chunkSize: 1 << 20 }), sink, how);
    if (sink.bytesWritten !== entry.size)
      throw new Error(`${name}: ${sink.bytesWritten} bytes, not ${entry.size}`);
  }

  private entry(name: string): ZipEntry {
    const found = this.entries.get(name);
    if (found) return found;
    throw new Error(`${name} is not in ${this.path}`);
  }
}

async function readDirectory(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  // The end record is 22 bytes and a comment of at most 65535.
  const tail = await readExactly(file, Math.max(0, size - 65557), Math.min(size, 65557));
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    const [length, start] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    if (start === 0xffffffff) throw new Error('zip64 archives (over 4 GB) are not supported');
    return readExactly(file, start, length);
  }
  throw new Error('no zip directory at its end: the file is damaged or cut short');
}

function parseEntries(directory: Buffer): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL;) {
    const nameLength = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    entries.set(name, {
      name,
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** The lengths in a file's own header may differ from those in the directory. */
async function dataStart(file: FileHandle, entry: ZipEntry): Promise<number> {
  const header = await readExactly(file, entry.offset, 30);
  if (header.readUInt32LE(0) !== LOCAL)
    throw new Error(`${entry.name}: no file header where the directory says`);
  return entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length)
    throw new Error(`the file ends early (${bytesRead} of ${length} bytes at ${position})`);
  return buffer;
}
