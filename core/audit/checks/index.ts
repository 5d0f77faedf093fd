import type { AuditCheck } from '../check.ts';
import { budgetHeld, budgetUsed, survivesRounding, zeroEps } from './budget.ts';
import { aboveFloor, metricsAgree } from './floor.ts';
import { finiteDifference, signTest, zeroGradient } from './gradient.ts';
import { areLogits, batchInvariant, deterministic, unchangedByAttack } from './model.ts';

/** The checks that every run makes, in the order of the report. */
// prettier-ignore
export const checks: readonly AuditCheck[] = [
  { per: 'attack', level: 'quick', name: 'zero-eps', run: zeroEps,
    title: 'Nothing happens at eps 0',
    advice: 'Mend the attack: at eps 0 it must return its input, or every point of the curve is shifted.' },
  { per: 'attack', level: 'quick', name: 'budget-held', run: budgetHeld,
    title: 'Adversarial images stay in ball and range',
    advice: 'Mend the attack, or whatever taps its hook: images outside the ball are not what the curve claims.' },
  { per: 'attack', level: 'quick', name: 'budget-used', run: budgetUsed,
    title: 'The attack uses its budget',
    advice: 'Give the attack more or longer steps: it stops inside the ball, and a stronger one may exist.' },
  { per: 'attack', level: 'quick', name: 'sign-test', run: signTest,
    title: 'Steps go the right way',
    advice: "Check the sign of the attack's loss and direction: it may help the model instead of hurting it." },
  { per: 'attack', level: 'quick', name: 'zero-gradient', run: zeroGradient,
    title: 'There is a gradient to follow',
    advice: 'Do not call this robust: attack without gradients, or through a smooth stand-in for the part that kills them.' },
  { per: 'subject', level: 'quick', name: 'finite-difference', run: finiteDifference,
    title: 'The gradient is that of the model',
    advice: 'Find the operator whose gradient is wrong or replaced; an attack that follows it is weaker than it looks.' },
  { per: 'subject', level: 'quick', name: 'determinism', run: deterministic,
    title: 'The model is not random',
    advice: 'Average gradients over many draws of the model, and score several of them: one draw hides how weak it is.' },
  { per: 'subject', level: 'quick', name: 'logits', run: areLogits,
    title: 'The outputs are logits',
    advice: 'Return logits: probabilities are scored wrongly here and leave the attack almost no gradient.' },
  { per: 'attack', level: 'quick', name: 'png-survival', run: survivesRounding,
    title: 'The attack survives an 8-bit file',
    advice: 'Use whole intensities and steps, or read the curve as one of images that no file holds.' },
  { per: 'subject', level: 'quick', name: 'batch-invariance', run: batchInvariant,
    title: 'Companions do not matter',
    advice: 'Put the model in inference mode: its answer depends on which images share a batch.' },
  { per: 'subject', level: 'quick', name: 'unchanged-model', run: unchangedByAttack,
    title: 'Attacks leave the model as it was',
    advice: 'Freeze running statistics and switch dropout off while the model is attacked.' },
  { per: 'subject', level: 'quick', name: 'prior-floor', run: aboveFloor,
    title: 'The model beats a prior that sees no image',
    advice: 'Do not read its curve as robustness: a fixed mask scores as well and never falls.' },
  { per: 'subject', level: 'quick', name: 'metric-identity', run: metricsAgree,
    title: 'The metrics agree with their counts',
    advice: 'Look for a metric, or a tap of its hook, that computes something else than its name says.' },
];
