import type { ModelProto } from '../../../../plugins/models/onnx/proto/onnx_pb.ts';
import { resolveOptions, type Context, type Segmenter } from '../../../../core/index.ts';
import { makeContext } from '../../../../core/testing/context.ts';
import { tinyDataset } from '../../../../core/testing/toys.ts';
import onnx from '../../../../plugins/models/onnx/index.ts';
import { written } from './build.ts';

/** A segmenter of a model, and what was said while it was opened. */
export interface Opened {
  readonly segmenter: Segmenter;
  readonly notes: readonly string[];
  readonly ctx: Context;
}

/** Opens a model, or a file, for images of 8 x 8. */
export async function open(
  model: ModelProto | string,
  options: Record<string, unknown> = {},
  data: Partial<{ height: number; width: number; channels: number; classes: readonly string[] }> = {},
): Promise<Opened> {
  const context = await makeContext();
  const notes: string[] = [];
  const log = { ...context.log, warn: (message: string) => void notes.push(message) };
  const path = typeof model === 'string' ? model : written(model);
  const request = {
    height: 8,
    width: 8,
    channels: 3,
    classes: ['background', 'foreground'],
    domain: { low: 0, high: 255, step: 1 },
    train: tinyDataset().train,
    ...data,
  };
  const ctx = { ...context, log };
  const segmenter = await onnx.open(request, resolveOptions(onnx, { path, ...options }), ctx);
  return { segmenter, notes, ctx };
}
