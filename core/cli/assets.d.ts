/** See assets.js. */
export function buildAssets(root: string, dist?: string): Promise<void>;
