"""Ways of delivery: what they cost and on which day the goods arrive."""
