/// <reference lib="dom" />
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveOptions, type Report } from '../../../core/index.ts';
import { writeAtomically } from '../../../core/store/output.ts';
import html from '../../../plugins/reporters/html/index.ts';
import { hostileRun, plainRun, type Run } from './runs.ts';

const chrome = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Writes the page of a run; gives its address. */
async function writePage({ report, dir }: Run, options: Record<string, unknown> = {}): Promise<string> {
  const write = (name: string, content: string | Uint8Array) => writeAtomically(join(dir, name), content);
  const target = { dir, write, print: () => undefined, columns: 80, colour: false };
  await html.report(report, resolveOptions(html, options) as never, target);
  return pathToFileURL(join(dir, 'report.html')).href;
}

// Never silently: a page that nobody has opened is not known to work.
if (!existsSync(chrome))
  console.error(`!! no browser at ${chrome}: the tests of the report page are skipped`);

describe.skipIf(!existsSync(chrome))('the report page in a browser', { timeout: 60_000 }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let run: Run;
  let address: string;
  /** What a page must not do: complain, or ask for anything outside itself. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chrome, args: ['--no-sandbox'], timeout: 30_000 });
    run = await plainRun();
    address = await writePage(run);
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    context = await browser.newContext({ acceptDownloads: true });
    context.setDefaultTimeout(5000);
    page = await context.newPage();
    complaints = [];
    // What this test reads from a canvas is its own affair.
    page.on(
      'console',
      (message) => !message.text().startsWith('Canvas2D') && complaints.push(message.text()),
    );
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (
        request.url() !== page.url() &&
        !/^(data|blob):/.test(request.url()) &&
        !request.isNavigationRequest()
      )
        complaints.push(request.url());
    });
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const open = async (url = address) => {
    await page.goto(url);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };

  it('says first what the gates, the audit and the worst eps say', async () => {
    await open();
    const header = page.getByRole('banner');
    expect(await header.innerText()).toMatch(/Robustness on chest-phantom.*fail/);
    expect(await header.innerText()).toContain('Gates: 1 fail, 1 pass. Audit: 1 fail, 1 pass.');
    expect(await header.getByRole('row').nth(1).innerText()).toMatch(
      /unet\s+targeted-ifgsm\s+0\.950\s+0\.100\s+32/,
    );
  });

  it('shows the numbers of the report, all of them, and exports them digit by digit', async () => {
    await open();
    const { curves, rows } = run.report;
    await page.getByText('All values').click();
    const cells = await page
      .getByRole('table', { name: /^dice under/ })
      .locator('td')
      .evaluateAll((all) => all.map((cell) => cell.getAttribute('title')));
    const [first, second] = curves.filter(({ metric }) => metric === 'dice');
    expect(cells).toEqual(
      first!.points.flatMap(({ mean }, at) => [mean, second!.points[at]!.mean]).map(String),
    );
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export CSV' }).click();
    const csv = readFileSync(await (await saved).path(), 'utf8')
      .trimEnd()
      .split('\r\n');
    const expected = rows.map(({ subject, attack, eps, sample, linf, gradients, values }) =>
      [subject, attack, eps, sample, linf, gradients, values['dice'] ?? '', values['jaccard'] ?? ''].join(
        ',',
      ),
    );
    expect(csv[0]).toBe('subject,attack,eps,sample,linf,gradients,dice,jaccard');
    expect(csv.slice(1).sort()).toEqual(expected.sort());
  });

  it('switches metrics and subjects of the curves', async () => {
    await open();
    const chart = page.getByRole('img', { name: /^Chart of \w+ against/ });
    expect(await chart.getAttribute('aria-label')).toContain('unet: from 0.950 at eps 0 to 0.100 at eps 32.');
    const lines = chart.locator('[aria-label=line] path');
    // Of each subject the curve, and the worst score so far.
    expect(await lines.count()).toBe(4);
    await page.getByRole('combobox', { name: 'Metric' }).first().selectOption('jaccard');
    expect(await chart.getAttribute('aria-label')).toContain('unet: from 0.900 at eps 0 to 0.050 at eps 32.');
    await page.getByRole('checkbox', { name: 'unet+nlce' }).uncheck();
    await expect.poll(() => lines.count()).toBe(2);
    expect(await chart.getAttribute('aria-label')).not.toContain('nlce');
    const bands = chart.locator('[aria-label=area] path');
    expect(await bands.count()).toBe(1);
    await page.getByRole('checkbox', { name: '95 % intervals' }).uncheck();
    await expect.poll(() => bands.count()).toBe(0);
  });

  it('tells whole curves in a few numbers, also where a level is never reached', async () => {
    await open();
    const numbers = page.getByRole('region', { name: 'Curves in numbers' }).getByRole('row');
    expect(await numbers.allInnerTexts()).toEqual([
      expect.stringMatching(
        /Mean height up to eps 32\s+eps where it reaches 0\.5\s+eps where it reaches 0\.05/,
      ),
      expect.stringMatching(/^unet\s+0\.432\s+6\.5\s+never$/),
      expect.stringMatching(/^unet\+nlce\s+0\.432\s+6\.5\s+never$/),
    ]);
  });

  it('lists what did not pass first, and in one line what passed', async () => {
    const verdicts = ['pass', 'pass', 'fail', 'error'] as const;
    const gates = verdicts.map((verdict, index) => ({
      ...run.report.gates![0]!,
      ...{ rule: index < 3 ? 'dice >= 0.5' : 'hd95 <= 3', verdict, eps: index, message: `seen ${index}` },
    }));
    await open(await writePage({ ...run, report: { ...run.report, gates } }));
    const rows = page.getByRole('region', { name: 'Gates' }).locator('tbody tr');
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/error.*eps 3.*seen 3/s),
      expect.stringMatching(/fail.*eps 2.*seen 2/s),
      expect.stringMatching(/pass.*2 places/s),
    ]);
    await page.getByRole('checkbox', { name: 'Every place' }).check();
    await expect.poll(() => rows.count()).toBe(4);
    const checks = page.getByRole('region', { name: 'Audit' }).locator('tbody tr');
    expect(await checks.count()).toBe(1);
    await page.getByRole('checkbox', { name: 'Checks that passed' }).check();
    await expect.poll(() => checks.count()).toBe(2);
  });

  it('draws differences and training', async () => {
    await open();
    const differences = page.getByRole('img', { name: /^Chart of the difference of dice/ });
    expect(await differences.getAttribute('aria-label')).toContain('unet+nlce: 0.012 at eps 8.');
    expect(await differences.locator('[aria-label=dot] path').count()).toBe(1);
    await page.getByText('All differences').click();
    expect(await page.getByRole('region', { name: 'Differences' }).locator('tbody tr').innerText()).toMatch(
      /^unet\+nlce\s+unet\s+8\s+0\.012\s+\[-0\.010, 0\.030\]\s+0\.040\s+0\.080\s+29 \(1 undefined\)$/,
    );
    const loss = page.getByRole('img', { name: /^Loss of each epoch/ });
    expect(await loss.getAttribute('aria-label')).toContain('unet: from 0.500 to 0.250 in 2 epochs.');
    expect(await loss.locator('[aria-label=line] path').count()).toBe(1);
    await page.getByText('All epochs').click();
    const epochs = page.getByRole('region', { name: 'Training' }).last().locator('tbody tr');
    expect(await epochs.last().innerText()).toMatch(
      /^unet\s+2\s+0\.2500\s+0\.0010\s+0\.750\s+0\.700\s+1\.5$/,
    );
  });

  it('prints what it shows: heads of tables and names of subjects, but no controls', async () => {
    await open();
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('columnheader', { name: /^largest change/ }).isVisible()).toBe(true);
    const subjects = page.getByRole('group', { name: 'Subjects' });
    expect(await subjects.getByText('unet+nlce').isVisible()).toBe(true);
    for (const hidden of ['Export CSV', 'Next', 'Copy'])
      expect(await page.getByText(hidden, { exact: true }).first().isVisible()).toBe(false);
    expect(await page.getByRole('slider').count()).toBe(0);
  });

  it('shows the worst images at the eps of the slider, worst first, which the keyboard moves', async () => {
    await open();
    const cards = page.locator('.card');
    expect(await cards.locator('strong').allInnerTexts()).toEqual(['case-2', 'case-1']);
    const slider = page.getByRole('slider', { name: /eps/ });
    const value = () => slider.getAttribute('aria-valuetext');
    expect(await value()).toBe('eps 32');
    const middle = () =>
      cards
        .first()
        .locator('canvas')
        .evaluate((canvas: HTMLCanvasElement) => canvas.getContext('2d')!.getImageData(4, 4, 1, 1).data[0]);
    await expect.poll(middle).toBe(132);
    expect(await cards.first().innerText()).toContain('dice 0.870 → 0.097');
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await value()).toBe('eps 8');
    await expect.poll(middle).toBe(108);
    await page.keyboard.press('Home');
    expect(await value()).toBe('clean');
    await expect.poll(middle).toBe(100);
    const outlines = cards.first().locator('path.truth').first();
    expect(await outlines.getAttribute('d')).toBe('M0 0h4v8h-4v-8');
    expect(await outlines.isVisible()).toBe(true);
    await page.getByRole('checkbox', { name: 'Outlines' }).uncheck();
    expect(await outlines.isVisible()).toBe(false);
  });

  it('sorts, filters and turns the pages of the table', async () => {
    await open();
    const table = page.getByRole('region', { name: 'Scores of every image' });
    const samples = () => table.locator('tbody tr td:first-child').allInnerTexts();
    const status = page.getByRole('status').filter({ hasText: 'rows' });
    expect(await status.innerText()).toBe('240 of 240 rows, 1 to 25 shown');
    await page.getByRole('button', { name: 'Next' }).click();
    expect(await status.innerText()).toContain('26 to 50 shown');
    await page.getByRole('searchbox', { name: 'Filter' }).fill('CASE-30');
    expect(await status.innerText()).toBe('8 of 240 rows');
    expect(new Set(await samples())).toEqual(new Set(['case-30']));
    await page.getByRole('combobox', { name: 'eps' }).selectOption('32');
    expect(await table.locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringContaining('undefined'),
      expect.stringContaining('undefined'),
    ]);
    await page.getByRole('searchbox', { name: 'Filter' }).fill('');
    const dice = table.getByRole('columnheader', { name: /^dice/ });
    expect(await dice.getAttribute('aria-sort')).toBe('ascending');
    expect((await samples())[0]).toBe('case-29');
    await dice.getByRole('button').click();
    expect(await dice.getAttribute('aria-sort')).toBe('descending');
    expect((await samples()).at(0)).toBe('case-1');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    // Undefined values stay at the end, whichever way.
    expect((await samples()).at(-1)).toBe('case-30');
  });

  it.each(['light', 'dark'] as const)(
    'has no accessibility defect of level A or AA when %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await open();
      for (const details of await page.locator('summary').all()) await details.click();
      // Through the debugger, which the page's own policy does not bind.
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { violations } = await (globalThis as never as { axe: typeof import('axe-core') }).axe.run(
          document,
          { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
        );
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
      });
      expect(violations).toEqual([]);
    },
  );

  it('fits a telephone', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await open();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
  });

  it('takes hostile names for what they are: text', async () => {
    const hostile = await hostileRun();
    await open(await writePage(hostile));
    await page.getByText('Configuration, and').click();
    expect(await page.locator('main img[src="x"], main script').count()).toBe(0);
    expect(await page.evaluate(() => document.querySelectorAll('img[onerror]').length)).toBe(0);
    expect(await page.locator('body').innerText()).toContain('</script><img src=x onerror=alert(1)>');
  });

  it('says how many pictures it leaves out where there is no room for them', async () => {
    await open(await writePage({ ...(await plainRun()) }, { megabytes: 0.0001 }));
    const notice = page.getByText('are not in this page');
    expect(await notice.innerText()).toMatch(/^1\d further pictures .* at most 0\.0001 MiB/);
    expect(await page.locator('.card').count()).toBeGreaterThan(0);
  });

  it('stays usable with 379 images, 10 subjects and 18 eps', async () => {
    const big = bigReport(run.report);
    const started = performance.now();
    await open(await writePage({ report: big, dir: (await plainRun()).dir }));
    await page.getByRole('searchbox', { name: 'Filter' }).fill('case-37');
    expect(await page.getByRole('status').filter({ hasText: 'rows' }).innerText()).toBe(
      '1,900 of 72,010 rows, 1 to 25 shown',
    );
    // A generous bound for a busy machine: what it guards against takes minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

function bigReport(report: Report): Report {
  const subjects = Array.from({ length: 10 }, (_, index) => ({
    ...report.subjects[0]!,
    name: `subject-${index}`,
  }));
  const eps = Array.from({ length: 19 }, (_, index) => index);
  const rows = subjects.flatMap(({ name }) =>
    eps.flatMap((level) =>
      Array.from({ length: 379 }, (_, index) => ({
        ...report.rows[0]!,
        subject: name,
        attack: level === 0 ? 'clean' : 'targeted-ifgsm',
        eps: level,
        sample: `case-${index}`,
      })),
    ),
  );
  const curves = subjects.map(({ name }) => ({ ...report.curves[0]!, subject: name }));
  return { ...report, subjects, rows, curves, examples: [] };
}
