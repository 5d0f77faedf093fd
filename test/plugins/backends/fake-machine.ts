import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { thisHost, type Host } from '../../../plugins/backends/tensorflow/host.ts';

/** The file name of the tiny wheel that the fake pip serves. */
export const WHEEL = 'tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl';

/** A machine whose python, compiler, strip and node are shell scripts, with an empty cache of its own. */
export interface FakeMachine {
  readonly host: Host;
  readonly folder: string;
  readonly cache: string;
  /** Replaces one executable; undefined removes it. */
  script(name: string, body: string | undefined): void;
  /** The commands that were run so far, one line each. */
  calls(): string[];
  clean(): void;
}

/** Everything a wheel must hold for the installer, with one header that needs another. */
export const WHEEL_FILES: Readonly<Record<string, string>> = {
  'tensorflow/libtensorflow_cc.so.2': 'cc '.repeat(1000),
  'tensorflow/libtensorflow_framework.so.2': 'framework',
  'tensorflow/libunrelated.so': 'unrelated',
  'tensorflow/include/tensorflow/c/c_api.h': '#include "tensorflow/c/tf_status.h"\n',
  'tensorflow/include/tensorflow/c/tf_status.h': '#pragma once\n',
  'tensorflow/include/tensorflow/c/unrelated.h': '',
};

const PIP_VERSION = 'echo "pip 23.2.1 from /somewhere/pip (python 3.11)"';
const DOWNLOAD = 'mkdir -p "$folder"; cp "$FAKE"/*.whl "$folder"';

/** A Python whose pip answers the three questions that the installer asks; each answer can be replaced. */
export function python(
  answers: { version?: string; report?: string; download?: string; installed?: string } = {},
) {
  return `
value() { name="$1"; shift; while [ $# -gt 0 ]; do [ "$1" = "$name" ] && { echo "$2"; return; }; shift; done; }
report=$(value --report "$@"); folder=$(value -d "$@")
case "$*" in
  *--version) ${answers.version ?? PIP_VERSION} ;;
  *"install --dry-run"*) ${answers.report ?? 'cp "$FAKE/report.json" "$report"'} ;;
  *" download "*) ${answers.download ?? DOWNLOAD} ;;
  -c*) ${answers.installed ?? "echo '{}'"} ;;
esac`;
}

/** A node that prints what the self-test program prints. */
export function node(ok = true): string {
  const info = { version: '2.21.0', device: 'cpu', threads: 2, addon: 'x', origin: 'given' };
  return `echo '${JSON.stringify({ info, tests: [{ name: 'conv2d', ok, maxDifference: ok ? 0 : 0.5 }] })}'`;
}

export function fakeMachine(overrides: Partial<Host> = {}): FakeMachine {
  const folder = mkdtempSync(join(tmpdir(), 'robust-install-'));
  const [bin, addonPackage, cache] = [
    join(folder, 'bin'),
    join(folder, 'tfjs-node-gpu'),
    join(folder, 'cache'),
  ];
  mkdirSync(bin);
  mkdirSync(join(addonPackage, 'binding'), { recursive: true });
  writeFileSync(join(addonPackage, 'package.json'), '{"version":"4.22.0"}');
  writeFileSync(join(addonPackage, 'binding', 'tfjs_backend.cc'), '#include "tensorflow/c/c_api.h"\n');
  writeWheel(folder, zip(WHEEL_FILES));
  const script = (name: string, body: string | undefined) => writeScript(join(bin, name), body);
  script('python3', python());
  script('g++', 'while [ "$1" != -o ]; do shift; done; echo addon > "$2"');
  script('strip', 'exit 0');
  script('node', node());
  const env = { PATH: bin, FAKE: folder, ROBUST_CACHE: cache };
  const system = { platform: 'linux', arch: 'x64', musl: false, home: folder } as const;
  const programs = { node: join(bin, 'node'), addonPackage, nodeApiHeaders: folder };
  const host = thisHost({
    env,
    ...system,
    ...programs,
    freeBytes: () => Promise.resolve(1e12),
    ...overrides,
  });
  const log = join(folder, 'calls');
  const calls = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  return {
    host,
    folder,
    cache,
    script,
    calls,
    clean: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function writeScript(path: string, body: string | undefined): void {
  rmSync(path, { force: true });
  if (body === undefined) return;
  const name = path.split('/').pop();
  writeFileSync(
    path,
    `#!/bin/sh\nPATH=/usr/bin:/bin\necho "${name} $(echo "$*" | head -1)" >> "$FAKE/calls"\n${body}\n`,
  );
  chmodSync(path, 0o755);
}

/** Puts a wheel and pip's report on it into the folder; another hash in the report makes it a wrong one. */
export function writeWheel(folder: string, content: Buffer, sha256 = hash(content)): void {
  writeFileSync(join(folder, WHEEL), content);
  const download_info = { url: `https://index.invalid/a/${WHEEL}`, archive_info: { hashes: { sha256 } } };
  const install = [{ metadata: { name: 'tensorflow_cpu', version: '2.21.0' }, download_info }];
  writeFileSync(join(folder, 'report.json'), JSON.stringify({ install }));
}

export function hash(content: string | Buffer, encoding: 'hex' | 'base64url' = 'hex'): string {
  return createHash('sha256').update(content).digest(encoding);
}

/** Every file and folder under a folder, sorted; empty when it does not exist. */
export function tree(folder: string): string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : [];
}

/** A zip archive; files of more than 100 bytes are deflated, the others stored. */
export function zip(files: Readonly<Record<string, string>>): Buffer {
  const [locals, central]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const packed = text.length > 100 ? deflateRawSync(text) : Buffer.from(text);
    const method = text.length > 100 ? 8 : 0;
    const [local, entry] = [Buffer.alloc(30), Buffer.alloc(46)];
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(text.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), packed);
    central.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(Buffer.concat(central).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...central, end]);
}
