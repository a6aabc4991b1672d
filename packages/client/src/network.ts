/** `@helixmesh/client/network`: channels to other nodes; apart from the root, which starts faster. */
export { askSeed } from './network/ask-seed.ts';
export * from './network/channel.ts';
export { type ExecuteJobOptions, executeJobBody } from './network/execute-job.ts';
export type { ChannelCertificate } from './network/pinned-session.ts';
export type { NetworkCallInput, NetworkReply } from './network/rest-call.ts';
export type { ChannelSigner } from './network/sign.ts';
export { keyOfCertificate, messageSha256, NO_BODY_SHA256 } from './network/wire.ts';
