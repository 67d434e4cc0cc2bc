"""When to ask again about a running job: what was learnt of durations, and the number of polls that it is worth."""
