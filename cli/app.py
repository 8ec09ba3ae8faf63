"""The command line as a whole: groups of commands, and errors as one sentence with an exit code.

Exit codes: 0 ok, 1 failed run or check, 2 usage, 3 configuration.
"""

import sys

import typer

from cli import demo, doctor, explain, identity, jobs, ledger, sandbox, warehouse
from cli.console import err
from errors import SmarketingError

app = typer.Typer(
    name="smarketing",
    help="One customer journey for sales and marketing: sync vendors, build the journey, ask what it says.",
    epilog="Exit codes: 0 ok, 1 a run or check failed, 2 usage, 3 configuration. RUNBOOK.md says what to do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("sync")(jobs.sync)
app.command("build")(jobs.build)
app.command("replay")(jobs.replay)
app.command("reconcile")(jobs.reconcile)
app.command("windows")(ledger.windows)
app.command("quarantine")(ledger.quarantine)
app.command("quota")(ledger.quota)
app.command("explain")(explain.explain)
app.command("journey")(explain.journey)
app.add_typer(warehouse.app, name="warehouse")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(explain.glossary_app, name="glossary")
app.add_typer(ledger.schema_app, name="schema")
app.add_typer(identity.app, name="identity")


def main() -> None:
    """Run the command line; errors of the project end in one sentence and their exit code."""
    try:
        app()
    except SmarketingError as error:
        err.print(f"[bold red]✗[/] {error.message}", highlight=False)
        if error.remedy:
            err.print(f"  → {error.remedy}", highlight=False)
        sys.exit(error.exit_code)
