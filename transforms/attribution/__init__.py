"""Which touches led to which conversions, and how a deal's amount is shared among them."""
