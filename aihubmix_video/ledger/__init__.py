"""What survives of a job: the record of what was asked for, what was bought and what was saved.

`interface.Ledger` says what the session tells it. `sqlite_ledger.SqliteLedger` keeps it on disk, whatever happens to the
process; `null_ledger.NoLedger` stands where a session has none. The rules are pure: `transitions` says what may happen to a
job, `request_codec` how a request is written down, `fingerprint` when two requests are the same.
"""
