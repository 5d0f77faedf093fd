import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export const source = (base64: string) => `data:image/png;base64,${base64}`;

/** A picture with outlines of masks over it, whatever size it is shown at. */
export function Outlined(props: {
  label: string;
  width: number;
  height: number;
  truth?: string;
  prediction?: string;
  children: ComponentChildren;
}) {
  const { label, width, height, truth, prediction, children } = props;
  return (
    <div class="panel">
      <div class="picture" style={{ aspectRatio: `${width} / ${height}` }}>
        {children}
        {truth !== undefined && (
          <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
            <path class="halo" d={`${truth}${prediction ?? ''}`} />
            <path class="truth" d={truth} />
            {prediction !== undefined && <path class="prediction" d={prediction} />}
          </svg>
        )}
      </div>
      <span>{label}</span>
    </div>
  );
}

/** The clean image plus its change, which is stored as 128 + 127 change / eps. */
export function Attacked(props: {
  clean: string;
  change: string | undefined;
  reach: number;
  label: string;
  width: number;
  height: number;
}) {
  const { clean, change, reach, label, width, height } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let current = true;
    void draw(clean, change, reach, { width, height }).then((pixels) => {
      if (current) canvas.current?.getContext('2d')?.putImageData(pixels, 0, 0);
    });
    return () => {
      current = false;
    };
  }, [clean, change, reach]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function draw(
  clean: string,
  change: string | undefined,
  reach: number,
  size: Size,
): Promise<ImageData> {
  const pixels = await pixelsOf(clean, size);
  if (change === undefined) return pixels;
  const changes = await pixelsOf(change, size);
  pixels.data.forEach((value, at) => {
    if (at % 4 !== 3) pixels.data[at] = Math.round(value + ((changes.data[at]! - 128) * reach) / 127);
  });
  return pixels;
}

async function pixelsOf(source: string, { width, height }: Size): Promise<ImageData> {
  const image = new Image();
  image.src = source;
  await image.decode();
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}
