"""When each request leaves: pure decisions; time and random draws are arguments."""
