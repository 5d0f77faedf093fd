import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InstallError } from './errors.ts';
import type { Host } from './host.ts';
import type { LoadInfo } from './load.ts';
import type { SelfTestResult } from '../../../core/index.ts';
import type { RunResult } from './run.ts';

export interface SelfTestReport {
  readonly info: LoadInfo;
  readonly tests: readonly SelfTestResult[];
}

/**
 * Loads an addon in a child process and runs the self-test there; throws when it cannot be loaded, crashes or computes
 * wrong numbers.
 */
export async function testInChild(host: Host, addon: string, signal?: AbortSignal): Promise<SelfTestReport> {
  const result = await host.run(host.node, [...childProgram(), addon], { env: host.env, signal });
  const report = parse(result.stdout);
  if (result.code !== 0 || !report) throw crashed(result, addon);
  const wrong = report.tests.filter(({ ok }) => !ok);
  if (report.tests.length > 0 && wrong.length === 0) return report;
  const list = wrong.map(({ name, maxDifference }) => `${name} differs by ${maxDifference}`).join(', ');
  throw new InstallError(
    'BACKEND_SELF_TEST_FAILED',
    `TensorFlow ${report.info.version} (${report.info.device}) loads but computes wrong numbers: ${list || 'no test ran'} (allowed: 1e-4)`,
    'please report this with the output of `robust doctor`; until then use `--backend wasm`',
  );
}

/** From a checkout the program is TypeScript, which Node 20 reads with jiti; in the package it is JavaScript. */
function childProgram(): string[] {
  const typescript = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(`./selftest-child.${typescript ? 'ts' : 'js'}`, import.meta.url));
  if (!typescript) return [program];
  const register = createRequire(import.meta.url)
    .resolve('jiti/package.json')
    .replace(/package\.json$/, 'lib/jiti-register.mjs');
  return ['--import', pathToFileURL(register).href, program];
}

function parse(stdout: string): SelfTestReport | undefined {
  try {
    return JSON.parse(stdout.trim().split('\n').pop() ?? '') as SelfTestReport;
  } catch {
    return undefined;
  }
}

function crashed(result: RunResult, addon: string): InstallError {
  const lines = result.stderr.trim().split('\n');
  const cause = lines.find((line) => /Error:|error:/.test(line)) ?? lines.pop() ?? '';
  return new InstallError(
    'BACKEND_SELF_TEST_FAILED',
    `the native TensorFlow library cannot be used on this machine (exit code ${result.code}, ${addon}): ${cause}`,
    adviceFor(result.stderr),
  );
}

function adviceFor(stderr: string): string {
  if (/SIGILL|Illegal instruction/.test(stderr))
    return 'the wheels need a processor with AVX; use `--backend wasm`';
  if (/GLIBC(XX)?_/.test(stderr))
    return 'the wheels need glibc 2.27 (Debian 10, Ubuntu 18.04) or newer; use `--backend wasm`';
  if (/SIGKILL|bad_alloc/.test(stderr))
    return 'about 1 GB of free memory is needed; free some, or use `--backend wasm`';
  return 'run `robust backend install tensorflow` again; if it stays so, use `--backend wasm` and report it';
}
