import type { Builder, Features } from './builder.ts';

interface BlockOptions {
  /** Of the first 3x3 convolution and of the shortcut. */
  readonly stride?: number;
  readonly dilation?: number;
  /** Project the shortcut although its shape does not change. */
  readonly projected?: boolean;
}

/** Two 3x3 convolutions beside a shortcut. Source: He et al., Deep Residual Learning, CVPR 2016, figure 5. */
export function basicBlock(
  net: Builder,
  name: string,
  x: Features,
  filters: number,
  { stride = 1, dilation = 1, projected }: BlockOptions = {},
): Features {
  const first = net.convNormRelu(`${name}_1`, x, filters, { stride, dilation, padding: 'symmetric' });
  const second = net.convNorm(`${name}_2`, first, filters, { dilation });
  return join(net, name, x, second, stride, projected);
}

/** 1x1, 3x3 and 1x1 convolutions beside a shortcut; the stride is that of the 3x3 convolution. */
export function bottleneck(
  net: Builder,
  name: string,
  x: Features,
  inner: number,
  outer: number,
  { stride = 1, dilation = 1, projected }: BlockOptions = {},
): Features {
  const reduced = net.convNormRelu(`${name}_1`, x, inner, { kernel: 1 });
  const middle = net.convNormRelu(`${name}_2`, reduced, inner, { stride, dilation, padding: 'symmetric' });
  const expanded = net.convNorm(`${name}_3`, middle, outer, { kernel: 1 });
  return join(net, name, x, expanded, stride, projected);
}

/** Adds a shortcut, through a 1x1 convolution where the shapes differ, and rectifies. */
function join(
  net: Builder,
  name: string,
  x: Features,
  branch: Features,
  stride: number,
  projected = false,
): Features {
  const filters = branch.shape[3]!;
  const same = stride === 1 && x.shape[3] === filters && !projected;
  const shortcut = same ? x : net.convNorm(`${name}_shortcut`, x, filters, { kernel: 1, stride });
  return net.relu(name, net.add(`${name}_add`, [shortcut, branch]));
}

export interface StageOptions {
  readonly kind: 'basic' | 'bottleneck';
  readonly blocks: number;
  /** Channels of the 3x3 convolutions in the paper; a bottleneck's output has four times as many. */
  readonly filters: number;
  readonly stride?: number;
  /** Dilation of the first block, and of the others. */
  readonly dilations?: readonly [first: number, others: number];
}

/** Residual blocks of one resolution: the first changes stride and channels. */
export function residualStage(net: Builder, name: string, x: Features, options: StageOptions): Features {
  const { kind, blocks, stride = 1, dilations = [1, 1] } = options;
  const filters = net.channels(options.filters);
  const outer = net.channels(4 * options.filters);
  return Array.from({ length: blocks }).reduce<Features>((y, _, i) => {
    const block = `${name}_${i + 1}`;
    const args = i === 0 ? { stride, dilation: dilations[0] } : { dilation: dilations[1] };
    return kind === 'basic'
      ? basicBlock(net, block, y, filters, args)
      : bottleneck(net, block, y, filters, outer, args);
  }, x);
}
