"""The durable record of each job: what was requested, what was bought and what was saved.

`interface.Ledger` is the protocol that the session writes to and reads from. `sqlite_ledger.SqliteLedger` keeps the
record on disk, whatever happens to the process. `memory_ledger.MemoryLedger` keeps it for as long as the process lives,
and `null_ledger.NullLedger` keeps nothing. The rules are pure: `transitions` lists the legal transitions of a job,
`request_codec` encodes a request as text, and `fingerprint` decides when two requests are the same.
"""
