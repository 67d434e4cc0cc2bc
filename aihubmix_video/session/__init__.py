"""The session: what users open, and the engine behind it.

session, job, batch, endpoints   the faces: what users hold
job_manager, job_registry        the jobs: those followed now, and those the ledger remembers
scheduler_loop, request_executor the shell around the pure scheduler: one loop, and one task per request
ledger_sync, ledger_mapping      between a tracked job and its ledger entry

Internal, but for what `aihubmix_video` exports.
"""
