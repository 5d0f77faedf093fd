/**
 * What networks share and tf.layers lacks.
 *
 * @packageDocumentation
 */
export { dropout, gaussianDropout, setTrainingStep, type Stochastic } from './dropout.ts';
export { batchNorm, connect, scaledNormal, unitRange } from './standard.ts';
