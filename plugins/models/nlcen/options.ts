import type { OptionsSchema } from '../../../core/index.ts';
import { alignCorners, width } from '../blocks/options.ts';

/** What the paper leaves open, each with the value of the Cascaded Pyramid Network that its head resembles. */
export const options = {
  width,
  backbone: {
    description: 'The paper takes ResNet-18 for JSRT and ResNet-50 for ISBI 2016.',
    enum: ['resnet18', 'resnet50'],
    default: 'resnet18',
  },
  refinedWeight: {
    description: 'Weight of the refined output in the loss; each of the four others has 1/4 (equation 5).',
    type: 'number',
    minimum: 0,
    default: 0.25,
  },
  placement: {
    description: 'Defenses beside the backbone, before the lateral connections, or inside it.',
    enum: ['side', 'inline'],
    default: 'side',
  },
  lateral: {
    description: '1x1 convolutions to 256 channels before the top-down sums; the printed text has none.',
    type: 'boolean',
    default: true,
  },
  mergeNorm: {
    description: 'Batch norm instead of a bias in the top-down 1x1 convolutions.',
    type: 'boolean',
    default: false,
  },
  head: {
    description: 'direct: one 3x3 convolution to each prediction; cpn: the longer heads of that network.',
    enum: ['direct', 'cpn'],
    default: 'direct',
  },
  projected: {
    description: 'Shortcuts of the refining bottlenecks through a 1x1 convolution.',
    type: 'boolean',
    default: false,
  },
  alignCorners,
} as const satisfies OptionsSchema;
