"""`sandbox`: stand-ins for the vendors' APIs, to try things out on."""

from typing import Annotated

import typer

app = typer.Typer(help="Local stand-ins for the vendors' APIs over one seeded world.", no_args_is_help=True)


@app.command()
def serve(
    port: Annotated[
        int,
        typer.Option(
            help="Control endpoint here; HubSpot, Salesforce and Marketo on the next three ports; 0: free ports"
        ),
    ] = 8100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world")] = 1,
    people: Annotated[int, typer.Option(help="Size of the world")] = 10_000,
    days: Annotated[int, typer.Option(help="Days to advance before serving")] = 0,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    limits: Annotated[bool, typer.Option("--limits", help="Enforce the vendors' rate limits")] = False,
    faults: Annotated[
        str,
        typer.Option(
            help="Faults to switch on: all, or names with an optional rate, such as hubspot.429=0.1,salesforce.5xx"
        ),
    ] = "",
) -> None:
    """Serve HubSpot, Salesforce and Marketo over one seeded world; prints a line of JSON with addresses and keys when ready."""
    from sandbox.faults import rates_of  # noqa: PLC0415 - so that no other command loads the sandbox
    from sandbox.serve import serve as run  # noqa: PLC0415 - only this command needs a web server

    try:
        rates_of(faults)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="--faults") from None
    run(port=port, seed=seed, people=people, days=days, host=host, limits=limits, faults=faults)
