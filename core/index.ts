/**
 * The public door of `robust`: everything that a plugin, a configuration file or a program may use.
 *
 * @packageDocumentation
 */
export type * from './vocabulary.ts';
export * from './plugin.ts';
export { RobustError, codes, nearest, suggestion, type ErrorCode, type ErrorParts } from './errors/index.ts';
export { classLogits, crossEntropy, inverseMask, oneHot } from './gradients/losses.ts';
