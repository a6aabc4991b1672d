/** Every picture of the quality section that the data allow, in the order of the report. */
import type { PlotData } from '../model-qc.ts';
import { gcByCycle, qualityByCycle } from './by-cycle.ts';
import { coverageByContig } from './coverage-by-contig.ts';
import { alleleBalance, breadth, insertSize } from './histograms.ts';
import type { Scene } from './scene.ts';
import { tiTv } from './ti-tv.ts';

export function allPlots(data: PlotData): readonly Scene[] {
  const scenes: Scene[] = [];
  if (data.coverageByContig.length > 0) scenes.push(coverageByContig(data.coverageByContig));
  if (data.qualityByCycle !== null) scenes.push(qualityByCycle(data.qualityByCycle));
  if (data.breadth !== null && data.breadth.length > 0) scenes.push(breadth(data.breadth));
  if (data.insertSize !== null) scenes.push(insertSize(data.insertSize));
  if (data.tiTv !== null) scenes.push(tiTv(data.tiTv));
  if (data.alleleBalance !== null) scenes.push(alleleBalance(data.alleleBalance));
  if (data.gcByCycle !== null) scenes.push(gcByCycle(data.gcByCycle));
  return scenes;
}
