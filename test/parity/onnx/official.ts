import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeContext } from '../../../core/testing/context.ts';
import { readModelFile, type ModelFile } from '../../../plugins/models/onnx/file.ts';
import { operators } from '../../../plugins/models/onnx/ops/index.ts';
import { verifyFolder } from '../../../plugins/models/onnx/verify.ts';

/** The folder `onnx/backend/test/data/node` of the wheel onnx 1.19.1; `.ci/run` fetches it. */
const folder = process.env['ROBUST_ONNX_CASES'];

/** Official cases that are not passed, and why. */
const excused: Readonly<Record<string, string>> = {
  'test_(batchnorm_.*|training_dropout.*)': 'training mode: models are attacked in evaluation mode',
  'test_cast.*(FLOAT8E8M0|FLOAT4E2M1).*':
    'scales of 8 bits and floats of 4 bits: not seen in segmentation networks',
  test_convtranspose_3d: 'transposed convolutions of volumes',
  'test_equal_string.*': 'text',
  'test_(identity|if)_(opt|sequence|seq)': 'sequences and optional values',
  test_l2normalization_axis_0: '0 divided by 0 is 0 here',
  'test_maxpool_with_argmax.*': 'positions of maxima',
};

interface Count {
  passed: number;
  all: number;
}

/** Runs the official cases of every operator that is computed; at least 97 % pass, and the others are known. */
export function officialSuite(backend: string): void {
  describe.skipIf(!folder)(`official ONNX cases on ${backend}`, () => {
    it('pass, but for those with a reason', async () => {
      await makeContext({ backend });
      const counts = new Map<string, Count>();
      const failed = readdirSync(folder!)
        .sort()
        .filter((name) => !run(join(folder!, name), counts));
      const unexplained = failed.filter(
        (name) => !Object.keys(excused).some((pattern) => new RegExp(`^${pattern}$`).test(name)),
      );
      expect(unexplained).toEqual([]);
      const total = [...counts.values()].reduce((sum, { all }) => sum + all, 0);
      expect(total).toBeGreaterThan(900);
      expect(failed.length / total).toBeLessThan(0.03);
      await expect(coverage(counts)).toMatchFileSnapshot('../../docs/onnx-coverage.md');
    }, 600_000);
  });
}

/** Whether a case passes, or is none of ours. A case counts for the operator that its name starts with. */
function run(dir: string, counts: Map<string, Count>): boolean {
  const file = readModelFile(join(dir, 'model.onnx'));
  const used = [...new Set(file.model.graph!.node.map(({ opType }) => opType))];
  if (file.model.graph!.node.some(({ domain }) => domain !== '') || !used.every((op) => op in operators))
    return true;
  const op = used.length === 1 ? used[0]! : 'several at once';
  const count = counts.get(op) ?? { passed: 0, all: 0 };
  const passed = passes(file, dir);
  counts.set(op, { passed: count.passed + Number(passed), all: count.all + 1 });
  return passed;
}

/** With tensors as inputs, and with constants, which are computed without the engine where they are few. */
function passes(file: ModelFile, dir: string): boolean {
  try {
    const comparisons = [...verifyFolder(file, dir), ...verifyFolder(file, dir, [() => false])];
    return comparisons.every(({ passed }) => passed);
  } catch {
    return false;
  }
}

function coverage(counts: ReadonlyMap<string, Count>): string {
  const rows = Object.keys(operators)
    .concat('several at once')
    .sort()
    .map((op) => {
      const { passed, all } = counts.get(op) ?? { passed: 0, all: 0 };
      return `| ${op} | ${all === 0 ? '' : `${passed} of ${all}`} |`;
    });
  const sums = [...counts.values()].reduce(
    (sum, { passed, all }) => [sum[0]! + passed, sum[1]! + all],
    [0, 0],
  );
  return [
    '# ONNX operators',
    '',
    'Every operator that is computed, in all its versions from opset 9 on, and how many official cases (onnx 1.19.1,',
    '`onnx/backend/test/data/node`) pass on the backends `wasm` and `tensorflow` alike. The rest is in',
    '`test/parity/onnx/official.ts`, with reasons. This page is written by `vitest -u`.',
    '',
    '| operator | cases |',
    '| --- | --- |',
    ...rows,
    '',
    `${sums[0]} of ${sums[1]} cases pass.`,
    '',
  ].join('\n');
}
