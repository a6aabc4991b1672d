/** The colours behind the tones: on paper (and light screens), and on dark screens. */
import type { Tone } from './plots/scene.ts';

/** Text tones have a contrast of at least 4.5:1 on `paper` and `panel` (WCAG 2.2 AA). */
export const LIGHT: Readonly<Record<Tone, string>> = {
  ink: '#16212c',
  muted: '#52606d',
  faint: '#9aa5b1',
  grid: '#dfe4ea',
  paper: '#ffffff',
  panel: '#f3f6f9',
  brand: '#0f3350',
  accent: '#1f6f9f',
  second: '#c2691c',
  fill: '#d8e7f1',
  pass: '#1b7447',
  warn: '#8a5a00',
  fail: '#b3261e',
  passTint: '#eaf5ee',
  warnTint: '#fdf4e0',
  failTint: '#fcebea',
  onBrand: '#ffffff',
  onBrandMuted: '#b9d3e6',
};

export const DARK: Readonly<Record<Tone, string>> = {
  ink: '#e8edf2',
  muted: '#a9b6c3',
  faint: '#64727f',
  grid: '#2c3843',
  paper: '#10171e',
  panel: '#18222b',
  brand: '#123b5b',
  accent: '#5fb0e0',
  second: '#f0a35e',
  fill: '#1d3a4e',
  pass: '#5cc98d',
  warn: '#e6b450',
  fail: '#ff8a80',
  passTint: '#14271d',
  warnTint: '#2b2413',
  failTint: '#321a19',
  onBrand: '#ffffff',
  onBrandMuted: '#b9d3e6',
};
