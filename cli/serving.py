"""A model of this machine behind an endpoint: `serve`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from .exits import guarded, narrate
from .opening import print_json
from .options import AsJson, named_values

_LOOK_S = 0.5


@guarded
def serve(
    model: Annotated[str, typer.Argument(help="The model's folder, or its name in the local cache.")],
    server: Annotated[
        str | None, typer.Option("--with", help="vllm or transformers.", show_default="vllm where it is installed")
    ] = None,
    python: Annotated[
        Path | None, typer.Option(help="The interpreter that has the server.", show_default="this one")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port.", show_default="a free one")] = None,
    revision: Annotated[str | None, typer.Option(help="The revision that the model must have.")] = None,
    engine_option: Annotated[
        list[str] | None, typer.Option("--engine-option", "-e", help="NAME=VALUE (docs/engines.md); may be repeated.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Serve a model on this machine until Ctrl-C; prints its endpoint once it is healthy."""
    from tsodata.engines.serving import ServingSettings, served
    from tsodata.engines.settings import read_settings
    from tsodata.engines.templates import find_model

    named = {"server": server, "python": python, "port": port}
    texts = named_values(engine_option, "-e NAME=VALUE") | {k: str(v) for k, v in named.items() if v is not None}
    settings = read_settings(ServingSettings, texts, engine="served")
    files = find_model(model, revision=revision, trust_remote_code=settings.trust_remote_code)
    try:
        with served(files, settings) as running:
            narrate(f"{files.name} is served by {running.kind}; its log is {running.log}; Ctrl-C ends it")
            if as_json:
                print_json({"endpoint": running.endpoint, "model": running.model, "revision": files.revision})
            else:
                print(f"--endpoint {running.endpoint} --model {running.model}")
            sys.stdout.flush()
            while True:
                time.sleep(_LOOK_S)
                running.check()
    except KeyboardInterrupt:
        narrate("stopped")
