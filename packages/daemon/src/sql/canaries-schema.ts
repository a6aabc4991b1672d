/** The table of canaries, at a coordinator: the last one of each node. Times are Unix milliseconds. */
export interface CanariesTable {
  node_id: string;
  canary_id: string;
  /** JSON: seed, contigs, bases of each and coverage. */
  genome: string;
  /** An answer that comes later counts as none. */
  expires_at: number;
  /** The digest that the node has answered; null before, and where its analysis failed. */
  answer: string | null;
  /** When it was decided; null while it is open. */
  judged_at: number | null;
  /** In a row; the pause before the next one doubles with each. */
  failures: number;
  /** No other one before then. */
  not_before: number;
  /** JSON of code and message: why the node was not admitted by it. */
  reason: string | null;
}
