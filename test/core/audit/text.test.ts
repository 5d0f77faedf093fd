import { describe, expect, it } from 'vitest';
import { auditText } from '../../../core/index.ts';
import { sampleReport } from '../../../core/testing/index.ts';

const audit = sampleReport().audit!;

describe('the audit as text', () => {
  it('is one line when everything passed', () => {
    expect(auditText(audit.slice(0, 1))).toBe('audit: 1 of 1 checks passed');
  });

  it('shows what did not pass, the worst first, within the columns', () => {
    const warned = { ...audit[1]!, verdict: 'warn' as const, check: 'other' };
    expect(auditText([warned, ...audit], 60)).toBe(
      [
        'audit: 1 of 4 checks passed, 1 failed, 1 warned, 1 not run',
        'fail  zero-gradient: unet+nlce under targeted-ifgsm',
        '      The gradient is zero on 0.0 % of the images and in',
        '      25.0 % of the pixels.',
        '      Attack without gradients.',
        'warn  other: unet+nlce under targeted-ifgsm',
        '      The gradient is zero on 0.0 % of the images and in',
        '      25.0 % of the pixels.',
        '      Attack without gradients.',
      ].join('\n'),
    );
  });
});
