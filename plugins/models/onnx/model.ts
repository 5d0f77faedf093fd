import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { ForeignModel } from '../foreign/model.ts';
import type { Notes } from '../foreign/notes.ts';
import type { ModelFile } from './file.ts';
import { makeModel } from './graph.ts';
import type { Options } from './options.ts';
import { guessScale, imageInput, scoredOutput } from './ports.ts';
import { Program, type Watch } from './program.ts';
import { dtypeOf } from './types.ts';
import { channelsLast, FIXED, IMAGE, inOrder, SIZED, Value } from './value.ts';

/**
 * The network of an ONNX file, up to the output that is scored.
 *
 * @param watch sees every operator that runs
 * @throws RobustError MODEL_FILE_INVALID, MODEL_UNSUPPORTED
 */
export function onnxModel(file: ModelFile, options: Options, notes: Notes, watch?: Watch): ForeignModel {
  const model = makeModel(file);
  const input = imageInput(model, options.layout, notes);
  const { port, layout, sides } = input;
  const output = scoredOutput(model, options.output, options.kind, notes);
  const level = sides.batch === undefined ? SIZED : FIXED;
  const program = new Program({ ...model, graph: output.graph }, [output.value], level);
  const order = layout === 'nchw' ? channelsLast(4) : inOrder(4);
  return {
    path: file.path,
    fingerprint: fingerprintOf(file, model.graph.constants),
    input: sides,
    output,
    scale: (high) => guessScale(model, input, high),
    compute: (images) => {
      const value = Value.of(tf.cast(images, dtypeOf(port.type)), port.type, IMAGE, order);
      return program.run(new Map([[port.name, value]]), watch)[0]!;
    },
    dispose: () => program.dispose(),
  };
}

/** The bytes of the file and of every constant: weights in a file of their own count too. */
function fingerprintOf(file: ModelFile, constants: ReadonlyMap<string, Value>): string {
  const hash = createHash('sha256').update(file.bytes);
  if (file.model.graph!.initializer.some(({ dataLocation }) => dataLocation === 1)) {
    for (const { numbers } of constants.values()) hash.update(Float64Array.from(numbers));
  }
  return hash.digest('hex');
}
