#!/usr/bin/env node
/** `helixmesh`. */
import { boot } from './boot.ts';

await boot(() => import('./program.ts'));
