import { IGNORED } from '../dataset.ts';
import { RobustError } from '../errors/index.ts';
import type { Dataset, Image, IntensityDomain, Sample } from '../vocabulary.ts';
import type { Pair } from './augment.ts';

/** Memory that decoded training samples may take. */
const CACHE_BYTES = 2 ** 30;

/** The training samples of a data set, each decoded once as far as memory allows. */
export interface SampleSource {
  readonly ids: readonly string[];
  get(index: number): Promise<Pair>;
}

/** A sample with its intensities as numbers of grey levels where that loses nothing. */
interface Packed {
  readonly levels: Uint8Array | Float32Array;
  readonly sample: Sample;
}

/**
 * Keeps samples in memory after their first use, at one byte a value where every value is one of 256 grey levels,
 * until `limit` bytes are used; the others are read again in every epoch.
 */
export function cacheSamples(dataset: Dataset, limit = CACHE_BYTES): SampleSource {
  const kept = new Map<number, Packed>();
  let bytes = 0;
  const load = async (index: number): Promise<Pair> => {
    const sample = checkSample(await dataset.train.get(index), dataset);
    const levels = packLevels(sample.image.data, dataset.domain) ?? sample.image.data;
    const size = levels.byteLength + sample.mask.data.byteLength;
    if (!kept.has(index) && bytes + size <= limit) {
      bytes += size;
      kept.set(index, {
        levels,
        sample: { ...sample, image: { shape: sample.image.shape, data: new Float32Array(0) } },
      });
    }
    return sample;
  };
  return {
    ids: dataset.train.ids,
    get: async (index) => {
      const packed = kept.get(index);
      return packed ? unpack(packed, dataset.domain) : load(index);
    },
  };
}

function packLevels(data: Float32Array, { low, step }: IntensityDomain): Uint8Array | undefined {
  const levels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const level = Math.round((data[i]! - low) / step);
    levels[i] = level;
    if (levels[i] !== level || Math.fround(low + level * step) !== data[i]) return undefined;
  }
  return levels;
}

function unpack({ levels, sample: { image, mask } }: Packed, { low, step }: IntensityDomain): Pair {
  if (levels instanceof Float32Array) return { image: { shape: image.shape, data: levels }, mask };
  const restored: Image = {
    shape: image.shape,
    data: Float32Array.from(levels, (level) => low + level * step),
  };
  return { image: restored, mask };
}

/** A sample of another size, or with a class that does not exist, would spoil the batch it is in without a word. */
function checkSample(sample: Sample, { height, width, channels, classes }: Dataset): Sample {
  const expected = `image [${height},${width},${channels}], mask [${height},${width}], classes below ${classes.length}`;
  const top = sample.mask.data.reduce((a, b) => (b === IGNORED ? a : Math.max(a, b)), 0);
  const fits =
    String(sample.image.shape) === String([height, width, channels]) &&
    String(sample.mask.shape) === String([height, width]) &&
    sample.image.data.length === height * width * channels &&
    sample.mask.data.length === height * width &&
    top < classes.length;
  if (fits) return sample;
  throw new RobustError('DATASET_INVALID', {
    message: `A training sample does not fit its data set.`,
    where: `sample ${sample.id}`,
    expected,
    received: `image [${sample.image.shape.join(',')}], mask [${sample.mask.shape.join(',')}], largest class ${top}`,
    next: 'make the dataset plugin deliver every sample at the size and with the classes it declares',
  });
}
