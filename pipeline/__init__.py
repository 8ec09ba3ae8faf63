"""The two jobs as plain functions: `sync` brings a vendor's records into staging, `build` makes the journey and marts of them.

DAGs and the command line call these, and nothing else.
"""

import os

# Read when Polars is first imported. Streams and tasks run side by side; threads of Polars' own beside them make a night's
# small frames take four times as long, and large ones no shorter (measured 2026-11).
os.environ.setdefault("POLARS_MAX_THREADS", "1")
