import { buildPages } from '../core/cli/pages.js';
import { root } from './source.ts';

/** Plugins that bring a web page read it built. */
export const setup = () => buildPages(root);
