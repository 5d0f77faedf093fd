import { defineReporter } from '../../core/index.ts';

export default defineReporter({
  name: 'json',
  summary: 'Writes report.json, the complete result, into the run folder.',
  prints: false,
  options: {
    indent: {
      description: 'Spaces per level; 0 writes one line.',
      type: 'integer',
      minimum: 0,
      maximum: 8,
      default: 1,
    },
  },
  report: (report, { indent }, { write }) =>
    write('report.json', `${JSON.stringify(report, null, indent)}\n`),
});
