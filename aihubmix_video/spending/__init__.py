"""What may be bought: caps and what is left of them (`budget`), list prices, and what a batch makes of both."""
