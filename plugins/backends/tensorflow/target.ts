import { InstallError } from './errors.ts';
import type { Host } from './host.ts';

/** The TensorFlow release whose C library is used. Part of the cache key: another one is installed beside it. */
export const TENSORFLOW_VERSION = '2.21.0';

/** N-API 8 is what tfjs-node 4.22 is written against; every Node since 12.22 offers it. */
export const NAPI_VERSION = 8;

/** Counts changes to how the addon is compiled. */
export const ADDON_REVISION = 3;

/** Any Python that the release has wheels for: the libraries inside do not depend on it. */
export const WHEEL_PYTHON = '312';

/** What is fetched for one kind of machine, and what is taken out of it. */
export interface Target {
  readonly gpu: boolean;
  /** The distribution that holds the library, and what pip is asked for. */
  readonly distribution: string;
  readonly requirement: string;
  readonly platforms: readonly string[];
  /** Library files in the wheel's `tensorflow` folder, and the names that the linker looks for. */
  readonly libraries: readonly { readonly file: string; readonly link: string }[];
  /** The most that lies on disk at any moment of an install. */
  readonly diskBytes: number;
}

const GB = 1e9;

/** Chooses for this machine, or says why there is nothing for it. */
export function targetFor(host: Pick<Host, 'platform' | 'arch' | 'musl'>, gpu: boolean): Target {
  const system = `${host.platform}-${host.arch}`;
  if (host.musl) throw muslError(system);
  if (gpu && system !== 'linux-x64')
    throw unsupported(system, 'TensorFlow with CUDA exists for linux-x64 only');
  switch (system) {
    case 'linux-x64':
      return gpu ? linux('tensorflow', 'x86_64', true) : linux('tensorflow-cpu', 'x86_64', false);
    case 'linux-arm64':
      return linux('tensorflow', 'aarch64', false);
    case 'darwin-arm64':
      return mac();
    default:
      throw unsupported(
        system,
        'TensorFlow wheels with a C library exist for linux-x64, linux-arm64 and darwin-arm64',
      );
  }
}

function linux(distribution: string, arch: string, gpu: boolean): Target {
  return {
    gpu,
    distribution,
    requirement: `${distribution}${gpu ? '[and-cuda]' : ''}==${TENSORFLOW_VERSION}`,
    // pip takes a tag literally here and does not add the older ones, which the nvidia wheels carry.
    platforms: ['2_28', '2_27', '2_17', '2014', '2_12', '2010', '2_5', '1'].map((tag) =>
      manylinux(tag, arch),
    ),
    libraries: [
      { file: 'libtensorflow_cc.so.2', link: 'libtensorflow.so' },
      { file: 'libtensorflow_framework.so.2', link: 'libtensorflow_framework.so' },
    ],
    diskBytes: (gpu ? 10 : 1.8) * GB,
  };
}

function manylinux(tag: string, arch: string): string {
  return tag.includes('_') ? `manylinux_${tag}_${arch}` : `manylinux${tag}_${arch}`;
}

function mac(): Target {
  return {
    gpu: false,
    distribution: 'tensorflow',
    requirement: `tensorflow==${TENSORFLOW_VERSION}`,
    platforms: ['macosx_12_0_arm64'],
    libraries: [
      { file: 'libtensorflow_cc.2.dylib', link: 'libtensorflow.dylib' },
      { file: 'libtensorflow_framework.2.dylib', link: 'libtensorflow_framework.dylib' },
    ],
    diskBytes: 1.8 * GB,
  };
}

function muslError(system: string): InstallError {
  return new InstallError(
    'BACKEND_MUSL',
    `the native TensorFlow library needs glibc, and this system (${system}) uses musl, as Alpine Linux does`,
    'use an image based on Debian, Ubuntu or Fedora (for example node:22-slim), or `--backend wasm`',
  );
}

function unsupported(system: string, what: string): InstallError {
  const windows = system.startsWith('win32') ? 'run robust inside WSL 2, or ' : '';
  return new InstallError(
    'BACKEND_UNSUPPORTED_SYSTEM',
    `there is no native TensorFlow library for this system: ${what}, this is ${system}`,
    `${windows}use \`--backend wasm\`, which needs nothing native`,
  );
}
