import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The youngest file below a folder, in milliseconds; what was built from it does not count. */
function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return path.endsWith('page.html') ? 0 : info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/**
 * Makes what plugins bring beside TypeScript. The web page `plugins/KIND/NAME/page/` becomes `page.html` beside it, one file
 * that holds its scripts and styles, and is copied into `dist`; a page that is younger than its sources stays as it is.
 * Sources for other compilers, `plugins/KIND/NAME/kernel/`, are copied as they are.
 *
 * @param root the source checkout
 * @param dist where compiled plugins lie, if copies are wanted
 */
export async function buildAssets(root, dist) {
  for (const plugin of pluginsWith(root, 'page/index.html')) {
    const folder = join(root, plugin);
    const page = join(folder, 'page.html');
    const changed = Math.ceil(newest(folder)) / 1000;
    if (!existsSync(page) || statSync(page).mtimeMs / 1000 < changed) {
      writeFileSync(page, await bundle(join(folder, 'page')));
      utimesSync(page, changed, changed);
    }
    if (dist !== undefined) copyFileSync(page, join(dist, plugin, 'page.html'));
  }
  if (dist === undefined) return;
  for (const plugin of pluginsWith(root, 'kernel')) {
    cpSync(join(root, plugin, 'kernel'), join(dist, plugin, 'kernel'), { recursive: true });
  }
}

function pluginsWith(root, part) {
  const below = (path) =>
    existsSync(join(root, path)) ? readdirSync(join(root, path)).map((name) => `${path}/${name}`) : [];
  const kinds = below('plugins').filter((path) => statSync(join(root, path)).isDirectory());
  return kinds.flatMap(below).filter((path) => existsSync(join(root, path, part)));
}

async function bundle(root) {
  const [{ build }, { viteSingleFile }] = await Promise.all([
    import('vite'),
    import('vite-plugin-singlefile'),
  ]);
  const { output } = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [viteSingleFile({ removeViteModuleLoader: true })],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
    build: { write: false, target: 'es2023', modulePreload: false },
  });
  return lockDown(output.find(({ fileName }) => fileName === 'index.html').source);
}

/** Lets the page run its own script and nothing else, and reach nothing outside itself. */
function lockDown(html) {
  const [, script] = /<script type="module"[^>]*>([^]*?)<\/script>/.exec(html);
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  return html.replace(
    '<head>',
    () => `<head><meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildAssets(fileURLToPath(new URL('../../', import.meta.url)), process.argv[2]);
}
