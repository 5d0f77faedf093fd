/**
 * What networks share and tf.layers lacks.
 *
 * @packageDocumentation
 */
export { conv2d } from './conv2d.ts';
export { dropout, setTrainingStep, type Stochastic } from './dropout.ts';
export { batchNorm, connect, scaledNormal, unitRange } from './standard.ts';
