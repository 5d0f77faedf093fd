import { defineVolumes } from './volume/define.ts';

export default defineVolumes({
  name: 'nifti',
  summary: 'Slices of NIfTI volumes, each volume with a mask of labels or one for each class.',
  images: 'images/*.nii.gz',
  masks: 'masks/*.nii.gz',
  extensions: ['.nii', '.nii.gz'],
});
