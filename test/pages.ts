import { buildAssets } from '../core/cli/assets.js';
import { root } from './source.ts';

/** Plugins that bring a web page read it built. */
export const setup = () => buildAssets(root);
