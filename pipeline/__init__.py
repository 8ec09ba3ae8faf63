"""The two jobs as plain functions: `sync` brings a vendor's records into staging, `build` makes the journey and marts of them.

DAGs and the command line call these, and nothing else. What their processes need is set here, before anything is imported.
"""

import gc
import os

# Read when Polars is first imported. Streams and tasks run side by side; threads of Polars' own beside them make a night's
# small frames take four times as long, and large ones no shorter (measured 2026-11).
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# Records come by the ten thousand and make no cycles: with Python's own (700, 10, 10), a tenth of a load's processor time went
# into looking for garbage among them (profiled 2026-11).
gc.set_threshold(50_000, 20, 100)
