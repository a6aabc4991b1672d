/** The page's style sheet: light and dark by the reader's setting, light on paper. */
import { type Face, fontFile } from '../fonts.ts';
import { kebab } from '../scene-to-svg.ts';
import { DARK, LIGHT } from '../tones.ts';
import { RESEARCH_USE } from '../words.ts';

/** The whole sheet, fonts included as data URIs. `digest` stands at the foot of printed pages. */
export function styleSheet(digest: string): string {
  return [
    font('regular', 400, 'normal'),
    font('semibold', 600, 'normal'),
    font('semibold-italic', 600, 'italic'),
    `:root{color-scheme:light dark;${variables(LIGHT)}}`,
    `@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}`,
    RULES,
    pageRule(digest),
    PRINT_RULES,
  ].join('\n');
}

function font(face: Face, weight: number, style: string): string {
  const data = fontFile(face, 'latin', 'woff2').toString('base64');
  return (
    `@font-face{font-family:"Source Sans 3";font-weight:${weight};font-style:${style};` +
    `src:url(data:font/woff2;base64,${data}) format("woff2")}`
  );
}

function variables(tones: Readonly<Record<string, string>>): string {
  return Object.entries(tones)
    .map(([name, value]) => `--${kebab(name)}:${value};`)
    .join('');
}

const RULES = `
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.45 "Source Sans 3",system-ui,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%}
.wrap{max-width:1040px;margin:0 auto;padding:0 28px}
.band{background:var(--brand);color:var(--on-brand);border-bottom:4px solid var(--accent)}
.band .wrap{display:flex;justify-content:space-between;align-items:center;gap:24px;
padding-top:22px;padding-bottom:20px;flex-wrap:wrap}
.mark{display:flex;align-items:center;gap:12px}
.mark svg{width:40px;height:40px}
.word{font-size:28px;font-weight:600;line-height:1.1;margin:0}
.band h1{font-size:16px;font-weight:400;color:var(--on-brand-muted);margin:2px 0 0}
.ids{text-align:right;color:var(--on-brand-muted);margin:0}
.ids strong{color:var(--on-brand);font-size:18px;font-weight:600}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:8px 20px;
margin:22px 0}
dt{color:var(--muted);font-size:13px}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.summary{background:var(--panel);border-left:6px solid var(--accent);padding:16px 24px 18px}
.summary.found{border-color:var(--fail)}
.summary h2{font-size:13px;letter-spacing:.04em;text-transform:uppercase;color:var(--muted);
font-weight:400;margin:0;border:0;padding:0}
.lead{font-size:23px;font-weight:600;line-height:1.25;margin:4px 0 6px}
.found .lead{color:var(--fail)}
.summary>p{margin:0 0 12px}
.summary dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:8px 20px;
border-top:1px solid var(--faint);margin:0;padding-top:10px}
.summary dd{font-size:19px}
main h2{color:var(--ink);font-size:22px;font-weight:600;border-bottom:1.5px solid var(--accent);
padding-bottom:4px;margin:38px 0 14px}
.table{overflow-x:auto;margin:0 0 22px}
table{border-collapse:collapse;width:100%;min-width:640px;table-layout:fixed}
caption{text-align:left;font-weight:600;font-size:16px;padding:0 0 6px 11px;
border-left:4px solid var(--tone);margin-bottom:6px;line-height:1.3}
caption span{font-weight:400;font-size:13px;color:var(--muted);margin-left:8px}
th{background:var(--panel);color:var(--muted);font-size:13px;font-weight:600;text-align:left;
padding:5px 8px}
td{vertical-align:top;padding:8px;border-bottom:1px solid var(--grid);overflow-wrap:anywhere;
font-size:14px}
.right{text-align:right}
td p{margin:0}
summary{cursor:pointer}
.strong{font-weight:600}
.gene{font-weight:600;font-style:italic;font-size:16px}
.muted,.small{color:var(--muted);font-size:13px}
.code{font-size:13px}
.badge{display:inline-block;font-weight:600;font-size:13px;border-radius:10px;padding:0 9px;
background:var(--panel)}
.badge.pass{background:var(--pass-tint)}
.badge.warn{background:var(--warn-tint)}
.badge.fail{background:var(--fail-tint)}
.stars svg{width:44px;height:11px;display:block;margin:2px 0}
.note{background:var(--panel);border-left:4px solid var(--accent);padding:9px 14px;
margin:0 0 18px}
.note.warn{background:var(--warn-tint);border-color:var(--warn)}
.plots{display:flex;flex-wrap:wrap;gap:22px 24px;margin:0 0 22px}
figure{margin:0;flex:1 1 460px;max-width:100%}
figure.wide{flex-basis:100%}
figcaption{font-weight:600;margin-bottom:2px}
figure svg{width:100%;height:auto;display:block;font-family:inherit}
footer{border-top:1px solid var(--grid);margin-top:36px;padding:14px 0 30px;color:var(--muted);
font-size:13px;display:flex;justify-content:space-between;gap:16px;flex-wrap:wrap;
overflow-wrap:anywhere}
footer strong{color:var(--ink)}
.skip{position:absolute;left:-999px}
.skip:focus{left:8px;top:8px;background:var(--paper);color:var(--ink);padding:4px 10px}
@media (max-width:600px){.wrap{padding:0 16px}.ids{text-align:left}}
`.trim();

/** The foot of printed pages, as in the PDF. A digest holds nothing that ends a CSS string. */
function pageRule(digest: string): string {
  return (
    '@page{size:A4;margin:14mm 12mm 18mm;' +
    `@bottom-left{content:"${RESEARCH_USE}";font:600 8pt sans-serif}` +
    `@bottom-center{content:"Provenance ${digest.replace(/[^a-z0-9:]/g, '')}";font:8pt sans-serif}` +
    '@bottom-right{content:"Page " counter(page) " of " counter(pages);font:8pt sans-serif}}'
  );
}

const PRINT_RULES = `
@media print{
.facts,.summary dl{grid-template-columns:repeat(4,auto)}
body{font-size:9.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.wrap{max-width:none;padding:0 10px}
td{font-size:8.5pt}th,.muted,.small,.code,dt{font-size:8pt}
table{min-width:0}
.table{overflow:visible}
thead{display:table-header-group}
tr,figure,.summary,.note{break-inside:avoid}
h2,caption{break-after:avoid}
figure{flex-basis:45%}
.skip{display:none}
}
`.trim();
