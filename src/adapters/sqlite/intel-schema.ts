/** `<home>/intel/intel.db`. Append-only: each entry brings user_version one further. Times are Unix milliseconds. */
export const INTEL_MIGRATIONS: readonly string[] = [
  `CREATE TABLE sources (
     name TEXT PRIMARY KEY, generation INTEGER NOT NULL, indicators INTEGER NOT NULL, loaded_at INTEGER,
     fingerprint TEXT, error TEXT);
   INSERT INTO sources VALUES ('operator', 0, 0, NULL, NULL, NULL);
   CREATE TABLE opinions (
     kind TEXT NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, generation INTEGER NOT NULL, level TEXT NOT NULL,
     category TEXT, age_days INTEGER, reason TEXT NOT NULL, by_user TEXT, as_of INTEGER NOT NULL,
     PRIMARY KEY (kind, key, source, generation)) WITHOUT ROWID;
   CREATE INDEX opinions_source ON opinions (source, generation, kind, key);
   CREATE TABLE devices (
     serial TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, enrolled_at INTEGER NOT NULL, org_id TEXT NOT NULL DEFAULT '');
   CREATE TABLE tokens (
     hash TEXT PRIMARY KEY, serial TEXT NOT NULL REFERENCES devices ON DELETE CASCADE, expires_at INTEGER NOT NULL);
   CREATE INDEX tokens_serial ON tokens (serial);
   CREATE TABLE submissions (
     id INTEGER PRIMARY KEY, serial TEXT NOT NULL, email_id TEXT NOT NULL, url TEXT NOT NULL, rev_host TEXT NOT NULL,
     submitted_at INTEGER NOT NULL, retro_at INTEGER, UNIQUE (serial, email_id, url));
   CREATE INDEX submissions_open ON submissions (rev_host, id) WHERE retro_at IS NULL;
   CREATE INDEX submissions_retro ON submissions (serial, retro_at) WHERE retro_at IS NOT NULL;
   CREATE INDEX submissions_age ON submissions (submitted_at);
   CREATE TABLE first_seen (domain TEXT PRIMARY KEY, at INTEGER NOT NULL, last_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX first_seen_last ON first_seen (last_at);
   CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);`,
]
