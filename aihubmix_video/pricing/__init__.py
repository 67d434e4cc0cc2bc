"""What may be bought: caps and what is left of them (`caps`), and list prices (`list_prices`)."""
