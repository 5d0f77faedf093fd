import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StepCache, tensorflow } from '../core/engine.ts';
import type { OpenModelPlugin } from '../core/plugin.ts';
import { makeRandom } from '../core/random.ts';
import { backendContext } from '../core/testing/context.ts';
import type { Case, Sample } from './cases.ts';
import type { Peer } from './peer.ts';
import { CLASSES, DOMAIN, registry, type Subject } from './subject.ts';
import { tasksOf } from './tasks.ts';
import { median, milliseconds, repeated } from './timing.ts';

/** Seconds of an input gradient of the bundled network, and of its PyTorch export with the same weights. */
interface Comparison {
  readonly bundled: number;
  readonly exported: number;
  /** Of the summed magnitudes of the two gradients. */
  readonly difference: number;
  /** Seconds from the file to the first logits. */
  readonly opening: number;
}

/** Exports a case with PyTorch, and shows on every backend what the export costs beside the bundled network. */
export async function showExported(wanted: Case, peers: readonly Peer[], python: string): Promise<void> {
  const script = fileURLToPath(new URL('pytorch/export.py', import.meta.url));
  execFileSync(python, [script, wanted.dir, String(wanted.side)], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const peer of peers) {
    const { bundled, exported, difference, opening } = await peer.ask<Comparison>({
      do: 'exported',
      case: wanted,
    });
    console.log(
      `${wanted.network} ${wanted.size} on ${peer.name}: ratio ${(exported / bundled).toFixed(2)} (wanted 1.2)\n` +
        `  ms: bundled ${milliseconds(bundled)}, exported ${milliseconds(exported)}, opening ${milliseconds(opening)}; ` +
        `gradients differ by ${difference.toExponential(1)}`,
    );
  }
}

/** Both in turns, in one process. */
export async function compareExported(
  subject: Subject,
  { dir, side }: Case,
  rounds = 7,
): Promise<Comparison> {
  const path = join(dir, 'model.onnx');
  const { plugin, options } = await registry.open('model', { use: 'onnx', path, scale: 1 }, { path: '' });
  const context = { ...backendContext(), tf: tensorflow, baseDir: '', random: makeRandom(1) };
  const train = { ids: [], get: () => Promise.reject(new Error('there are no samples')) };
  const request = { height: side, width: side, channels: 1, classes: CLASSES, domain: DOMAIN, train };
  const started = performance.now();
  const segmenter = await (plugin as OpenModelPlugin).open(request, options, context);
  const opening = (performance.now() - started) / 1000;
  const other: Subject = { ...subject, segmenter, steps: new StepCache(subject.engine) };
  const runs = [subject, other].map((each) => tasksOf(each).gradient.run);
  const samples: [Sample[], Sample[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    for (const [side, run] of runs.entries()) {
      const sample = await repeated(run);
      if (round >= 0) samples[side]!.push(sample);
    }
  }
  const [bundled, exported] = samples.map((each) => median(each.map(({ seconds }) => seconds)));
  const [a, b] = samples.map(([first]) => first!.value!);
  other.steps.dispose();
  segmenter.dispose();
  return { bundled: bundled!, exported: exported!, difference: Math.abs(b! / a! - 1), opening };
}
