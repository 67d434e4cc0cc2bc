"""The wire, both ways: a request becomes bytes, and an answer becomes values. Pure: no sockets, no clock."""
