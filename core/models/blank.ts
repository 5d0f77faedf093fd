import type { Context } from '../vocabulary.ts';

type Make = (args?: Readonly<Record<string, unknown>>) => unknown;

/**
 * A context whose layers start from zeros: for networks that are looked at and never run. Drawing the initial weights of
 * a large network takes seconds.
 */
export function blank(ctx: Context): Context {
  const wrap = (make: Make): Make => {
    return (args) => make(args?.['kernelInitializer'] ? { ...args, kernelInitializer: 'zeros' } : args);
  };
  // Classes beside the functions, such as Layer, have capital initials.
  const layers = Object.entries(ctx.tf.layers).map(([name, make]) => [
    name,
    /^[a-z]/.test(name) ? wrap(make as Make) : make,
  ]);
  return {
    ...ctx,
    tf: { ...ctx.tf, layers: Object.fromEntries(layers) as unknown as Context['tf']['layers'] },
  };
}
