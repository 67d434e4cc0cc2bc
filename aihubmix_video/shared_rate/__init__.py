"""One rate for many processes: where it is kept, and how a process takes its turns from it.

`slots` is the rule and its state, `shared_controller` what one process knows of it; both are pure. `sqlite_slots` and `redis_slots`
keep the state, in a file of one host or in Redis. `slot_acquirer` asks for this process's slots, and `open_shared` puts it together.
"""
