import { defineMetric } from '../../core/index.ts';
import { boundary } from './masks/boundary.ts';
import { emptyOptions, emptySentence, emptyValue } from './masks/empty.ts';

export default defineMetric({
  name: 'boundary-iou',
  summary: 'Jaccard index of the inner boundaries: what is left of each mask without its erosion.',
  references: [
    'Cheng et al., Boundary IoU: Improving Object-Centric Image Segmentation Evaluation, CVPR 2021',
  ],
  better: 'higher',
  empty: emptySentence('1', '0'),
  options: {
    ...emptyOptions,
    width: {
      description: 'Width of the boundary as a part of the diagonal of the image; at least one pixel.',
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.02,
    },
  },
  measure({ prediction, truth, shape, confusion: { tp, fp, fn } }, { width, ...policy }) {
    const set = emptyValue(tp + fp, tp + fn, policy, 1, 0);
    if (set !== undefined) return set;
    const pixels = Math.max(1, Math.round(width * Math.hypot(...shape)));
    const [ours, theirs] = [boundary(prediction, shape, pixels), boundary(truth, shape, pixels)];
    let shared = 0;
    let either = 0;
    for (let i = 0; i < ours.length; i++) {
      shared += ours[i]! & theirs[i]!;
      either += ours[i]! | theirs[i]!;
    }
    return shared / either;
  },
});
