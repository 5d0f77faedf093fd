import { defineVolumes } from './volume/define.ts';

export default defineVolumes({
  name: 'dicom',
  summary: 'DICOM images and slices of series; patients stay together, and their names stay out.',
  images: 'images/*/',
  masks: 'masks/*.nrrd',
  extensions: ['.dcm', '.dicom', '/'],
});
