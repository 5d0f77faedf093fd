import type { Config } from '../../../../core/index.ts';

const config: Config = { extends: 'preset:tiny', subjects: { plain: { model: { use: 'unet', width: 8 } } } };

export default { summary: 'Builds on another preset.', config };
