"""What survives of a job: the record of what was asked for, what was bought and what was saved.

`port.Ledger` says what the session tells it. `sqlite.SqliteLedger` keeps it on disk, whatever happens to the process;
`nothing.NoLedger` stands where a session has none. The rules are pure: `steps` says what may happen to a job,
`packing` how a request is written down, `fingerprint` when two requests are the same.
"""
