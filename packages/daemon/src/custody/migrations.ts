/** The tables of a custodian's store. A migration that has shipped is never edited. */

/** SQL by version; the version of a store is its `user_version`. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE datasets (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'stored', 'shredded')),
    manifest BLOB NOT NULL,
    -- Crypt4GH headers sealed to the custody key; gone once the dataset is shredded.
    header BLOB,
    part_header BLOB,
    added_at INTEGER NOT NULL,
    stored_at INTEGER,
    shredded_at INTEGER,
    CHECK ((state = 'shredded') = (header IS NULL)),
    CHECK ((header IS NULL) = (part_header IS NULL))
  ) STRICT;
  CREATE INDEX datasets_owner ON datasets (owner);

  CREATE TABLE dataset_vaults (
    dataset TEXT NOT NULL REFERENCES datasets (id),
    vault TEXT NOT NULL,
    PRIMARY KEY (dataset, vault)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE vaults (
    address TEXT PRIMARY KEY,
    added_at INTEGER NOT NULL
  ) STRICT;

  -- Grants that the person of this folder has given.
  CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL REFERENCES datasets (id),
    grantee TEXT NOT NULL,
    document BLOB NOT NULL,
    -- JSON: bytes of the plaintext that the regions of the grant are.
    byte_ranges TEXT,
    added_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX grants_grantee ON grants (dataset, grantee);

  -- Grants that others have given to the person of this folder.
  CREATE TABLE invitations (
    grant_id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL,
    document BLOB NOT NULL,
    added_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX invitations_dataset ON invitations (dataset);

  CREATE TABLE heads (
    owner TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    document BLOB NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (owner, number)
  ) STRICT;

  -- The highest number of a head that some vault says it holds.
  CREATE TABLE heads_seen (
    owner TEXT PRIMARY KEY,
    number INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE custodians (
    owner TEXT PRIMARY KEY,
    document BLOB NOT NULL,
    issued_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE policies (
    owner TEXT PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT;

  -- The latest encryption key of each account to which keys were released.
  CREATE TABLE encryption_keys (
    account TEXT PRIMARY KEY,
    issued_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE access_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    dataset TEXT NOT NULL,
    grant_id TEXT,
    pipeline TEXT NOT NULL,
    is_commercial INTEGER NOT NULL,
    zone TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('released', 'refused')),
    -- JSON array.
    reasons TEXT NOT NULL
  ) STRICT;
  CREATE INDEX access_log_dataset ON access_log (dataset, sequence);
  CREATE INDEX access_log_outcome ON access_log (outcome, sequence);
  `,
  `
  -- To which nodes keys were released for which attempts; the access log says the same of accounts.
  CREATE TABLE task_releases (
    sequence INTEGER PRIMARY KEY REFERENCES access_log (sequence),
    dataset TEXT NOT NULL,
    job TEXT NOT NULL,
    attempt TEXT NOT NULL,
    node TEXT NOT NULL,
    operator TEXT NOT NULL
  ) STRICT;
  CREATE INDEX task_releases_dataset ON task_releases (dataset, operator);
  `,
  `
  -- How each copy is: 'named' is where it shall lie, the others are what its vault has said.
  ALTER TABLE dataset_vaults ADD COLUMN state TEXT NOT NULL DEFAULT 'named'
    CHECK (state IN ('named', 'coming', 'stored', 'damaged'));
  ALTER TABLE dataset_vaults ADD COLUMN said_at INTEGER;
  UPDATE dataset_vaults SET state = 'stored'
    WHERE dataset IN (SELECT id FROM datasets WHERE state = 'stored');
  `,
  `
  -- Keys of what the tasks of a job hand to each other.
  CREATE TABLE job_keys (
    job TEXT PRIMARY KEY,
    coordinator TEXT NOT NULL,
    -- Crypt4GH header with the X25519 secret key, sealed to the custody key; NULL: it was destroyed.
    sealed BLOB,
    expires_at INTEGER NOT NULL
  ) STRICT;
  -- Name of the task that a release was for; NULL for what people ask.
  ALTER TABLE access_log ADD COLUMN task TEXT;
  `,
  `
  -- What the person has signed to be removed; 'dataset_vaults' says where a copy may still lie.
  CREATE TABLE tombstones (
    dataset TEXT PRIMARY KEY REFERENCES datasets (id),
    document BLOB NOT NULL
  ) STRICT;
  `,
];
