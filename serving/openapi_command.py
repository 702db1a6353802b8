"""`understudy openapi`: the document that `GET /openapi.json` answers, without a gateway."""

import click


@click.command()
def openapi() -> None:
    """Print the OpenAPI document of the gateway's API, for clients and their generators."""
    import orjson

    from serving.contract.document import document

    click.echo(orjson.dumps(document(), option=orjson.OPT_INDENT_2).decode())
