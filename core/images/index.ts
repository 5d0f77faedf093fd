export { encodePng, writePng, type EncodeOptions } from './encode.ts';
export {
  few,
  findFiles,
  pairFiles,
  patternSegments,
  type FilesById,
  type Pair,
  type Pairing,
} from './files.ts';
export { openPairs, type PairFormat, type PairSplits } from './pairs.ts';
export { nameClasses, type ClassNames, type Labels } from './labels.ts';
export { readHeader } from './decode.ts';
export type { ImageHeader, Raster } from './raster.ts';
export { readImage, readMask, readRaster, type ReadImageOptions, type ReadMaskOptions } from './read.ts';
export { quantise, repeatGrey, resizeImage, resizeMask } from './resize.ts';
export { openSamples, type SampleFiles, type SampleFormat, type SampleSplits } from './samples.ts';
