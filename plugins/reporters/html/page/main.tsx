import { render } from 'preact';
import type { PageData } from '../data.ts';
import { App } from './app.tsx';
import './style.css';

const text = document.getElementById('data')!.textContent;
render(<App data={JSON.parse(text) as PageData} />, document.getElementById('app')!);

// What is folded away on a screen belongs on paper.
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});
