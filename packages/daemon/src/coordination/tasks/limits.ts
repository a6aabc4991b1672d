/** Intervals of work on the network, and bounds of what a coordinator keeps of it. */

/** How long a node may take to claim an offer, ms: two of its polls of 30 s. */
export const OFFER_MS = 60_000;
/** Lease of an attempt, ms: four renewals may be lost. */
export const LEASE_MS = 120_000;
/** How long the first replica of a round that has committed waits for the others, ms. */
export const COMMIT_WAIT_MS = 6 * 3_600_000;
/** How long reveals of a round are taken, ms: a node may restart in between. */
export const REVEAL_WAIT_MS = 15 * 60_000;
/** Pause before another attempt, ms; doubles with each failure. */
export const RETRY_FIRST_MS = 5_000;
export const RETRY_MAX_MS = 15 * 60_000;
/** Pause before a task is placed again that found too few lawful nodes, ms. */
export const PLACE_AGAIN_MS = 30_000;
/** Pause before a task is looked at again whose custodian has not answered, ms. */
export const HEAD_WAIT_MS = 2_000;
/** Between two questions for the revocation head of an owner, ms: half of the age that it may have. */
export const HEAD_POLL_MS = 30_000;
/** The same after a question that was not answered. */
export const HEAD_RETRY_MS = 5_000;
/** An answer that takes longer is none, ms. */
export const HEAD_ASK_MAX_MS = 10_000;
/** Custodians that are asked at once. */
export const HEADS_AT_ONCE_MAX = 16;
/** Reasons why nodes were refused that are told of a task that waits, most frequent first. */
export const REFUSALS_TOLD_MAX = 8;
/** How long a call that was drawn to be done again waits for another operator, ms. */
export const RERUN_WAIT_MS = 15 * 60_000;
/** Offers of one task that nobody took, before it is put aside. */
export const OFFERS_UNANSWERED_MAX = 100;
/** Jobs of one requester that have not ended. */
export const OPEN_JOBS_MAX = 1_000;
/** Tasks that are placed, swept or listed in one go. */
export const TASKS_AT_ONCE_MAX = 256;
/** Pause between two looks at what is late or wanted, ms: much shorter than an offer. */
export const ROUND_MS = 2_000;
