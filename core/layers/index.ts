/**
 * What networks share and tf.layers lacks.
 *
 * @packageDocumentation
 */
export { drawMasks, dropout, gaussianDropout, withMasks, type Stochastic } from './dropout.ts';
export { batchNorm, connect, scaledNormal, unitRange } from './standard.ts';
