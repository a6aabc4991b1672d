/** Paints a scene as inline SVG; colours are the page's CSS variables, so dark mode applies. */
import { escapeHtml } from './html/escape.ts';
import { type Point, rounded, type Scene, type SceneItem } from './plots/scene.ts';

/** `decorative` hides it from screen readers; else it has a role, a name and a description. */
export function sceneToSvg(scene: Scene, options: { readonly decorative?: boolean } = {}): string {
  const naming =
    options.decorative === true
      ? 'aria-hidden="true"'
      : `role="img" aria-label="${escapeHtml(`${scene.title}. ${scene.description}`)}"`;
  const { width, height } = scene;
  return (
    `<svg ${naming} viewBox="0 0 ${rounded(width)} ${rounded(height)}" ` +
    `width="${rounded(width)}" height="${rounded(height)}" focusable="false">` +
    `${scene.items.map(paint).join('')}</svg>`
  );
}

function paint(item: SceneItem): string {
  const colour = `var(--${kebab(item.tone)})`;
  switch (item.kind) {
    case 'line': {
      const dash = item.dash === undefined ? '' : ` stroke-dasharray="${item.dash}"`;
      return (
        `<line x1="${rounded(item.from[0])}" y1="${rounded(item.from[1])}" ` +
        `x2="${rounded(item.to[0])}" y2="${rounded(item.to[1])}" stroke="${colour}" ` +
        `stroke-width="${item.width}"${dash}/>`
      );
    }
    case 'rect': {
      const radius = item.radius === undefined ? '' : ` rx="${item.radius}"`;
      return (
        `<rect x="${rounded(item.at[0])}" y="${rounded(item.at[1])}" ` +
        `width="${rounded(item.size[0])}" height="${rounded(item.size[1])}"${radius} ` +
        `fill="${colour}"/>`
      );
    }
    case 'polyline':
      return (
        `<polyline points="${path(item.points)}" fill="none" stroke="${colour}" ` +
        `stroke-width="${item.width}" stroke-linejoin="round" stroke-linecap="round"/>`
      );
    case 'polygon':
      return `<polygon points="${path(item.points)}" fill="${colour}"/>`;
    case 'text': {
      const weight = item.bold === true ? ' font-weight="600"' : '';
      return (
        `<text x="${rounded(item.at[0])}" y="${rounded(item.at[1])}" ` +
        `text-anchor="${item.anchor ?? 'start'}" font-size="${item.size}"${weight} ` +
        `fill="${colour}">${escapeHtml(item.text)}</text>`
      );
    }
  }
}

function path(points: readonly Point[]): string {
  return points.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join(' ');
}

/** `passTint` → `pass-tint`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
