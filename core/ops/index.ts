import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients that these replace.
import '@tensorflow/tfjs-layers';
import { averagePoolGradient } from './average-pool.ts';
import { batchNormGradient } from './batchnorm.ts';
import { extremumGradients, matMulGradient } from './broadcast.ts';
import { convolutionGradient, fusedConvolutionGradient } from './convolution.ts';
import { fusedConv2d } from './fused.ts';
import { mirrorPadGradient } from './mirror-pad.ts';
import { replaceGradient } from './register.ts';
import { resizeGradients } from './resize.ts';
import { stridedSliceGradient } from './strided-slice.ts';
import { tileGradient } from './tile.ts';

/**
 * Installs the gradients that are right, or cheaper and equal, on every backend. Called when core loads TensorFlow.js,
 * before a backend starts, because a backend may have better ones of its own; calling it again changes nothing.
 */
export function installGradients(): void {
  if (tf.fused.conv2d === fusedConv2d) return;
  const ours = [
    convolutionGradient,
    fusedConvolutionGradient,
    averagePoolGradient,
    batchNormGradient,
    matMulGradient,
    mirrorPadGradient,
    stridedSliceGradient,
    tileGradient,
    ...extremumGradients,
    ...resizeGradients,
  ];
  for (const config of ours) replaceGradient(config);
  Object.assign(tf.fused, { conv2d: fusedConv2d });
}
