import { defineVolumes } from './volume/define.ts';

export default defineVolumes({
  name: 'mha',
  summary: 'Slices of MetaImage volumes, such as ITK writes them.',
  images: 'images/*.mha',
  masks: 'masks/*.mha',
  extensions: ['.mha'],
});
