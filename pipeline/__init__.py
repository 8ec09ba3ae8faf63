"""The two jobs as plain functions: `sync` brings a vendor's records into staging, `build` makes the journey and marts of them.

DAGs and the command line call these, and nothing else.
"""
