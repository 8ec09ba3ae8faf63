"""`sandbox`: stand-ins for the vendors' APIs, to try things out on."""

from typing import Annotated

import typer

app = typer.Typer(help="Local stand-ins for the vendors' APIs over one seeded world.", no_args_is_help=True)


@app.command()
def serve(
    port: Annotated[
        int,
        typer.Option(
            help="Control endpoint here, HubSpot on the next port, Salesforce on the one after; 0: free ports"
        ),
    ] = 8100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world")] = 1,
    people: Annotated[int, typer.Option(help="Size of the world")] = 10_000,
    days: Annotated[int, typer.Option(help="Days to advance before serving")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    limits: Annotated[bool, typer.Option("--limits", help="Enforce the vendors' rate limits")] = False,
) -> None:
    """Serve HubSpot and Salesforce over one seeded world; prints a line of JSON with addresses and keys when ready."""
    from sandbox.serve import serve as run  # noqa: PLC0415 - only this command needs a web server

    run(port=port, seed=seed, people=people, days=days, host=host, limits=limits)
