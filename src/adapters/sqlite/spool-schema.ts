/**
 * spool.db: entries (envelope and state), bodies, delivery queue, ledger, id blocks. `user_version` n runs SPOOL_MIGRATIONS[n];
 * append-only. Times are milliseconds since 1970. docs/operations/spool.md describes it for operators.
 */
export const SPOOL_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE body (
    id INTEGER PRIMARY KEY,
    bytes BLOB,            -- up to 256 KiB
    file TEXT,             -- above: a file in spool/bodies
    sha256 TEXT NOT NULL
  ) STRICT;
  CREATE TABLE entry (
    mid INTEGER PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('work', 'queued', 'quarantined')),
    received_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    body INTEGER NOT NULL REFERENCES body (id),
    resume_at TEXT,
    quarantine TEXT,
    reason TEXT,
    since INTEGER,
    until INTEGER,
    meta TEXT NOT NULL,    -- the envelope, JSON
    meta_sum TEXT NOT NULL -- start of its SHA-256
  ) STRICT;
  CREATE INDEX entry_state ON entry (state, mid, size);
  CREATE INDEX entry_body ON entry (body);
  CREATE TABLE queue (
    mid INTEGER NOT NULL REFERENCES entry (mid),
    rid INTEGER NOT NULL,
    address TEXT NOT NULL,
    domain TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (mid, rid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX queue_due ON queue (next_at, domain);
  CREATE INDEX queue_domain ON queue (domain, next_at);
  CREATE INDEX queue_age ON queue (queued_at);
  CREATE TABLE delivery (
    mid INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    root_mid INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    direction TEXT NOT NULL,
    sender TEXT NOT NULL,
    message_id TEXT,
    subject TEXT NOT NULL,
    delivered_at INTEGER NOT NULL,
    via TEXT NOT NULL,
    location TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    received_id TEXT NOT NULL,
    PRIMARY KEY (mid, rid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX delivery_root ON delivery (root_mid);
  CREATE INDEX delivery_subject ON delivery (subject, delivered_at);
  CREATE INDEX delivery_age ON delivery (delivered_at);
  CREATE TABLE mailbox (address TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE once (key TEXT PRIMARY KEY, mid INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX once_age ON once (at);
  CREATE TABLE counter (kind TEXT PRIMARY KEY, reserved INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- Small while deliveries succeed: only recipients with a failed attempt are in it.
  CREATE INDEX queue_attempted ON queue (domain) WHERE attempts > 0;
  CREATE TABLE suspension (
    what TEXT NOT NULL CHECK (what IN ('receiving', 'delivery', 'work queue')),
    name TEXT NOT NULL,    -- a listener, a domain; '' = all
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (what, name)
  ) STRICT, WITHOUT ROWID;
  `,
]
