#!/usr/bin/env node
/** `biofs`. */
import { boot } from '../boot.ts';

await boot(() => import('./program.ts'));
