import type { ComponentChildren } from 'preact';

/** A table that scrolls inside itself on narrow screens. Names of columns that hold numbers start with `#`. */
export function Wide(props: {
  label: string;
  caption?: string;
  head: readonly string[];
  children: ComponentChildren;
}) {
  const { label, caption, head, children } = props;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        {caption !== undefined && <caption>{caption}</caption>}
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col" key={name} class={name.startsWith('#') ? 'number' : ''}>
                {name.replace('#', '')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
