"""What must hold, checked by Great Expectations on the warehouse.

Nothing else in the project imports it, and here only inside functions, since the import takes seconds.

    suites.py       expectations per table: derived from the table metadata and the glossary, and business checks by hand
    runner.py       runs a suite on a table or view, inside the caller's transaction
    staging.py      checks what loads brought; failing rows go to quarantine
    published.py    the gate: checks what a build made, before it is published
"""
