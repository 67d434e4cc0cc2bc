"""Reference media and addresses, judged without I/O: what an image is, which URL may be passed on, which address is public."""
