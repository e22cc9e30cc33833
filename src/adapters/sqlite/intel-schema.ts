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
  // Keyed by hashes of look-up expressions; intel-convert.ts brings the older tables' rows over.
  `ALTER TABLE opinions RENAME TO opinions_1;
   DROP INDEX opinions_source;
   ALTER TABLE submissions RENAME TO submissions_1;
   CREATE TABLE opinions (
     hash INTEGER NOT NULL, source TEXT NOT NULL, generation INTEGER NOT NULL, probe INTEGER NOT NULL, kind TEXT NOT NULL,
     key TEXT NOT NULL, level TEXT NOT NULL, category TEXT, age_days INTEGER, reason TEXT NOT NULL, by_user TEXT,
     as_of INTEGER NOT NULL, PRIMARY KEY (hash, source, generation)) WITHOUT ROWID;
   CREATE INDEX opinions_source ON opinions (source, generation, hash);
   CREATE TABLE changes (
     source TEXT NOT NULL, generation INTEGER NOT NULL, probe INTEGER NOT NULL, times INTEGER NOT NULL DEFAULT 1,
     PRIMARY KEY (source, generation, probe)) WITHOUT ROWID;
   CREATE TABLE observers (id INTEGER PRIMARY KEY AUTOINCREMENT, serial TEXT NOT NULL UNIQUE);
   CREATE TABLE observed_partitions (number INTEGER PRIMARY KEY, indexed_to INTEGER NOT NULL);
   CREATE TABLE observed_counts (
     partition INTEGER NOT NULL, device INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (partition, device)) WITHOUT ROWID;
   CREATE TABLE retros (
     id INTEGER PRIMARY KEY, device INTEGER NOT NULL, email_id TEXT NOT NULL, ref TEXT NOT NULL, url TEXT,
     state TEXT NOT NULL, at INTEGER NOT NULL, turns INTEGER NOT NULL DEFAULT 1, source TEXT NOT NULL, indicator TEXT NOT NULL,
     reason TEXT NOT NULL, as_of INTEGER NOT NULL, UNIQUE (device, email_id, ref));
   CREATE INDEX retros_page ON retros (device, at, id);
   CREATE INDEX retros_age ON retros (at);`,
  // When a feed was last renewed, or said to be unchanged.
  `CREATE TABLE source_checks (name TEXT PRIMARY KEY, at INTEGER NOT NULL);`,
]

/** A partition of what is observed: six hours of arrivals, and the index of its hashes. Dropped as a whole. */
export const observedTables = (partition: number): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS observed_${partition} (
     id INTEGER PRIMARY KEY, device INTEGER NOT NULL, email_id ANY NOT NULL, ref BLOB, url TEXT, keys BLOB, at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS observed_index_${partition} (
     hash INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (hash, id)) WITHOUT ROWID`,
]
