import { resolve } from 'node:path';
import { defineModel } from '../../../core/index.ts';
import { readModelFile } from './file.ts';
import { options } from './options.ts';
import { makeSegmenter } from './segmenter.ts';

export default defineModel({
  name: 'onnx',
  summary: 'A model in an ONNX file, as PyTorch, Keras and others export it, with exact gradients.',
  references: ['https://onnx.ai/onnx/operators/'],
  extensions: ['.onnx'],
  options,
  open: async (request, given, ctx) => {
    const file = readModelFile(resolve(ctx.baseDir, given.path));
    return makeSegmenter(file, request, given, ctx);
  },
});
