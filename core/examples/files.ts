import { createHash } from 'node:crypto';
import { decode, readEncoded } from '../images/decode.ts';
import type { Example, Image, IntensityDomain, Row } from '../vocabulary.ts';

/** Below the run folder. */
export const FOLDER = 'examples';

/**
 * Where the pictures of one row lie. The names hold a hash of what the pictures depend on, so that those of another
 * model or data set in the same run folder are never taken for them.
 */
export function filesOf(
  row: Row,
  dataset: string,
  subject: string,
): Pick<Example, 'image' | 'adversarial' | 'truth' | 'prediction'> {
  const { attack, eps, sample, linf, values, confusion } = row;
  const place = (...content: unknown[]) => {
    const hash = createHash('sha256').update(JSON.stringify([dataset, sample, ...content]));
    return `${FOLDER}/${sample.replaceAll(/[^\w-]+/g, '_').slice(0, 40)}-${hash.digest('hex').slice(0, 12)}`;
  };
  const source = place();
  const made = place(subject, attack, eps, linf, values, confusion);
  return {
    image: `${source}-image.png`,
    truth: `${source}-truth.png`,
    adversarial: attack === 'clean' ? `${source}-image.png` : `${made}-adversarial.png`,
    prediction: `${made}-prediction.png`,
  };
}

/**
 * An image as a PNG file can hold it without loss: grey levels above `low`, in 8 bits where they are whole and at
 * most 255, otherwise times a power of two that fills 16 bits (256 for levels up to 255).
 */
export function levels({ shape, data }: Image, { low, high, step }: IntensityDomain): Image {
  const top = (high - low) / step;
  const values = data.map((value) => (value - low) / step);
  const scale = top <= 255 && values.every(Number.isInteger) ? 1 : deepScale(top);
  return { shape, data: values.map((value) => Math.round(value * scale)) };
}

const deepScale = (top: number) => 2 ** Math.floor(Math.log2(65535 / top));

/**
 * Reads a picture of a run folder back into intensity units; for masks, whose classes spread over black to white,
 * in a domain of its own. Errors: IMAGE_MISSING, IMAGE_UNREADABLE.
 *
 * @param channels of the data set, 1 or 3
 */
export async function readExample(
  path: string,
  channels: number,
  { low, high, step }: IntensityDomain,
): Promise<Image> {
  const { width, height, data, white } = await decode(await readEncoded(path));
  const scale = white === 255 ? 1 : deepScale((high - low) / step);
  // Grey files are decoded to three equal channels.
  const values = Float32Array.from(
    { length: width * height * channels },
    (_, at) => low + (step * data[channels === 1 ? 3 * at : at]!) / scale,
  );
  return { shape: [height, width, channels], data: values };
}
