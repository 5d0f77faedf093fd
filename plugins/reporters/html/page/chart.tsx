import * as Plot from '@observablehq/plot';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** Subjects keep their colour in every chart. */
export const colourOf = (index: number) => `var(--line-${index % 8})`;

interface Props {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  readonly subjects: readonly string[];
  /** Height by width; 0.5 when absent. */
  readonly ratio?: number;
  readonly options: Plot.PlotOptions;
  readonly children?: ComponentChildren;
}

/** A chart as wide as its place, with a caption below. */
export function Chart({ label, subjects, ratio = 0.5, options, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  // Also where nothing but the data changed: a drawing takes milliseconds.
  useEffect(() => {
    const plot = Plot.plot({
      width,
      height: Math.max(220, Math.min(420, width * ratio)),
      marginLeft: 52,
      marginBottom: 48,
      style: { background: 'transparent', fontSize: '13px' },
      color: { domain: [...subjects], range: subjects.map((_, index) => colourOf(index)) },
      symbol: { domain: [...subjects] },
      ...options,
    });
    plot.setAttribute('aria-hidden', 'true');
    place.current!.replaceChildren(plot);
  });
  return (
    <figure>
      <div ref={place} class="chart" role="img" aria-label={label} />
      {children && <figcaption>{children}</figcaption>}
    </figure>
  );
}

function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** Colours and names, for charts whose subjects are not switches. */
export function Key({ subjects, shown }: { subjects: readonly string[]; shown: readonly string[] }) {
  return (
    <>
      {shown.map((name) => (
        <span key={name}>
          <span class="swatch" style={{ background: colourOf(subjects.indexOf(name)) }} /> {name}{' '}
        </span>
      ))}
    </>
  );
}
