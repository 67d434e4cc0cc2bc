"""What goes over the wire, both ways: values in, bytes out, and back. Pure: no sockets, no clock."""
