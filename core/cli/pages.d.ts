/** See pages.js. */
export function buildPages(root: string, dist?: string): Promise<void>;
