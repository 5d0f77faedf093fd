import { readFile } from 'node:fs/promises';
import { defineReporter, worstVerdict } from '../../../core/index.ts';
import { commandOf } from '../shared/command.ts';
import type { PageData } from './data.ts';
import { embed, packRows } from './pack.ts';
import { makeGallery } from './pictures.ts';

const MIB = 2 ** 20;

export default defineReporter({
  name: 'html',
  summary:
    'Writes report.html: one file with curves, images, tables and the way to do it again, which needs no network.',
  prints: false,
  options: {
    file: {
      description: 'Its name in the run folder.',
      type: 'string',
      minLength: 1,
      default: 'report.html',
    },
    megabytes: {
      description: 'Room for pictures in MiB; what does not fit is left out, the least damaged images first.',
      type: 'number',
      minimum: 0,
      default: 24,
    },
  },
  async report(report, { file, megabytes }, { dir, write }) {
    // Built from `page/` together with the rest of this package.
    const template = await readFile(new URL('./page.html', import.meta.url), 'utf8');
    const { shown, pictures, leftOut } = await makeGallery(report, dir, megabytes * MIB);
    const { rows, examples: _examples, ...rest } = report;
    const data: PageData = {
      report: rest,
      rows: packRows(rows),
      gallery: shown,
      pictures,
      leftOut,
      limit: megabytes,
      verdict: report.gates ? worstVerdict(report.gates) : 'none',
      command: commandOf(report),
    };
    await write(
      file,
      template.replace(
        /(<script type="application\/json" id="data">)[^<]*/,
        (_all, tag: string) => tag + embed(data),
      ),
    );
  },
});
