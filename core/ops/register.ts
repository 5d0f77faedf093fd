import { registerGradient, unregisterGradient, getGradient, type GradConfig } from '@tensorflow/tfjs-core';

/** Registers a gradient in place of the one that TensorFlow.js brings, for all backends of this process. */
export function replaceGradient(config: GradConfig): void {
  if (getGradient(config.kernelName)) unregisterGradient(config.kernelName);
  registerGradient(config);
}
