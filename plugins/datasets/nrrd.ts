import { defineVolumes } from './volume/define.ts';

export default defineVolumes({
  name: 'nrrd',
  summary: 'Slices of NRRD volumes, such as 3D Slicer writes them.',
  images: 'images/*.nrrd',
  masks: 'masks/*.nrrd',
  extensions: ['.nrrd'],
});
