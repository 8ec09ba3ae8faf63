"""The warehouse: tables as metadata, engine, migrations, loading, ledger and locks. Knows nothing of vendors or HTTP."""
