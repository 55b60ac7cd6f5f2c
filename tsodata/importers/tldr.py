"""TL;DR samples of the InstructGPT models: `model_type, context, ref_text, sample`.

`model_type` is a version and a size, such as ppo-ptx-6b; `ref_text` is the summary that a person wrote. The versions
were trained one from the other in the order that is stated here (Ouyang et al. 2022, Sec. 3.1 and 3.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, maybe_text, text
from tsodata.records import Origin, Prompt, Record, Response, Source, VersionOrder
from tsodata.sizes import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAMILY = "instructgpt"
_SIZES_B = {"xl": 1.3}  # the 1.3B models are called XL
_ORDER = VersionOrder(_FAMILY, ("gpt", "sft", "ppo-noptx", "ppo-ptx"), "the TL;DR samples format")


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the post, the model's summary and the person's."""
    prompt = Prompt.of_user(text(row, "context"))
    source = _source(text(row, "model_type"), context)
    yield prompt
    yield Origin(prompt.prompt_key, context.dataset)
    yield _ORDER
    yield Response(prompt.prompt_key, source.source_key, text(row, "sample", may_be_empty=True))
    reference = maybe_text(row, "ref_text")
    if reference:
        yield Response(prompt.prompt_key, context.people().source_key, reference)


def _source(name: str, context: Context) -> Source:
    if name in context.naming.table.cells:
        return context.model(name)
    version, _, size = name.rpartition("-")
    try:
        size_b = _SIZES_B.get(size) or parse_size(size)
    except ValueError:
        size_b = None
    if not version or size_b is None:
        fail("unknown_model", f"model_type {name!r} is not VERSION-SIZE; pass --models with a row for it")
    return context.keep(Source.model(_FAMILY, version, size_b))
