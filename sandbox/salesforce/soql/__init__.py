"""SOQL: text to tree (`parser.parse`), tree to a predicate (`filters.compile_condition`)."""
