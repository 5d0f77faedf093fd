export { encodePng, writePng, type EncodeOptions } from './encode.ts';
export { findFiles, pairFiles, patternSegments, type FilesById, type Pair, type Pairing } from './files.ts';
export { openPairs, type PairFormat, type PairSplits } from './pairs.ts';
export { readImage, readMask, type ReadImageOptions, type ReadMaskOptions } from './read.ts';
export { quantise, resizeImage, resizeMask } from './resize.ts';
