/** `@helixmesh/client/results`: fetching sealed results from the nodes that made them. */
export { fetchSealed } from './results/fetch-sealed.ts';
export { openSealedBytes, openSealedFile } from './results/open-sealed.ts';
