import { activations } from './activation.ts';
import { arithmetic } from './arithmetic.ts';
import { constants } from './constant.ts';
import { convolutions } from './convolution.ts';
import { indexings } from './indexing.ts';
import { matrices } from './matrix.ts';
import { movements } from './movement.ts';
import { normalizations } from './normalization.ts';
import { paddings } from './padding.ts';
import { poolings } from './pooling.ts';
import { quantizations } from './quantization.ts';
import { reductions } from './reduction.ts';
import { resizes } from './resize.ts';
import type { Operators } from './support.ts';

/** Every operator that is computed, by its name. */
export const operators: Operators = {
  ...activations,
  ...arithmetic,
  ...constants,
  ...convolutions,
  ...indexings,
  ...matrices,
  ...movements,
  ...normalizations,
  ...paddings,
  ...poolings,
  ...quantizations,
  ...reductions,
  ...resizes,
};
