import { defineReporter } from '../../core/index.ts';
import { markdownOf } from './shared/markdown.ts';

export default defineReporter({
  name: 'markdown',
  summary: 'Writes report.md: verdicts, scores and what the audit found, for a comment or a wiki.',
  prints: false,
  options: {
    file: { description: 'Its name in the run folder.', type: 'string', minLength: 1, default: 'report.md' },
  },
  report: (report, { file }, { write }) => write(file, markdownOf(report)),
});
