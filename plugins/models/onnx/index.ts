import { resolve } from 'node:path';
import { defineModel } from '../../../core/index.ts';
import type { Notes } from '../foreign/notes.ts';
import { makeSegmenter } from '../foreign/segmenter.ts';
import { readModelFile } from './file.ts';
import { inspectFile } from './inspect.ts';
import { onnxModel } from './model.ts';
import { options } from './options.ts';
import { verifyFolder } from './verify.ts';

export default defineModel({
  name: 'onnx',
  summary: 'A model in an ONNX file, as PyTorch, Keras and others export it, with exact gradients.',
  references: ['https://onnx.ai/onnx/operators/'],
  extensions: ['.onnx'],
  options,
  open: async (request, given, ctx) => {
    const notes: Notes = [];
    const model = onnxModel(readModelFile(resolve(ctx.baseDir, given.path)), given, notes);
    return makeSegmenter(model, request, given, ctx, notes);
  },
  inspect: async (request, given, ctx) =>
    inspectFile(readModelFile(resolve(ctx.baseDir, given.path)), request, given, ctx),
  verify: async (dir, given, ctx) =>
    verifyFolder(readModelFile(resolve(ctx.baseDir, given.path)), resolve(ctx.baseDir, dir)),
});
