"""The template gate: does a trainer's tokenizer see in a row what the store holds?

A trainer masks the prompt by its number of tokens, so the tokens of the prompt must begin those of prompt + answer; a
row longer than the limit is cut, and two sides can then be the same. Compared are token ids, never texts
(`tsodata.conversations`). transformers is an extra; the tokenizer comes from local files and runs no code of theirs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tsodata.conversations import Turns, answer_tokens, render, tokenize
from tsodata.errors import ChatTemplateError, UsageError
from tsodata.provenance import canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

    from tsodata.exporters.materials import Material

TEMPLATE_REFUSES = "template_refuses"
NO_PREFIX = "prompt_is_no_prefix"
IDENTICAL = "identical_as_tokens"
IDENTICAL_CUT = "identical_when_cut"
CUT = "cut_by_length"
REASONS = (TEMPLATE_REFUSES, NO_PREFIX, IDENTICAL, IDENTICAL_CUT, CUT)  # of several, a row has the first
_CHUNK_ROWS = 256  # ours: token ids are Python integers, at 3 conversations of 1,000 tokens a row about 30 MB
_ALONE = "alone_on_its_prompt"


class Sifted(NamedTuple):
    """What the gate let through, and what it found, by reason."""

    batch: pa.RecordBatch
    found: Counter[str]


@dataclass(frozen=True, slots=True)
class TemplateGate:
    """A tokenizer with its chat template. With `refuses` off, what it finds is counted and written all the same."""

    tokenizer: Any
    tokenizer_sha256: str
    template_sha256: str
    max_length: int | None = None
    refuses: bool = True

    @classmethod
    def load(cls, name: str, *, max_length: int | None = None, refuses: bool = True) -> TemplateGate:
        """Return the gate of a tokenizer in a folder, or in the local cache of Hugging Face under a name.

        Raises:
            UsageError: transformers is not installed, there is no such tokenizer, or it has no chat template.
        """
        tokenizer = load_tokenizer(name)
        if not tokenizer.chat_template:
            raise UsageError(f"the tokenizer {name!r} has no chat template; name one of a chat model")
        template = tokenizer.get_chat_template()
        return cls(tokenizer, tokenizer_sha256(tokenizer), _sha256(template), max_length, refuses)

    @property
    def settings(self) -> dict[str, object]:
        """Return what the rows that are written depend on."""
        return {
            "tokenizer_sha256": self.tokenizer_sha256,
            "template_sha256": self.template_sha256,
            "max_length": self.max_length,
            "refuses": self.refuses,
        }

    def sift(self, batch: pa.RecordBatch, material: Material) -> Sifted:
        """Return the rows that pass, or all of them where the gate only counts, and what it found, by reason."""
        import pyarrow as pa

        faults = list(self._iter_faults(batch, material))
        if material.is_list:
            return _sift_lists(batch, faults, refuses=self.refuses)
        reasons = [min((fault for fault in row if fault), key=REASONS.index, default=None) for row in faults]
        found = Counter(reason for reason in reasons if reason)
        kept = batch.filter(pa.array([reason is None for reason in reasons], pa.bool_())) if self.refuses else batch
        return Sifted(kept, found)

    def _iter_faults(self, batch: pa.RecordBatch, material: Material) -> Iterator[list[str | None]]:
        for start in range(0, batch.num_rows, _CHUNK_ROWS):
            chunk = batch.slice(start, _CHUNK_ROWS)
            if material.is_list:
                answers = chunk[material.texts[0]].to_pylist()
            else:
                answers = list(zip(*(chunk[name].to_pylist() for name in material.texts), strict=True))
            yield from self.faults(chunk["prompt"].to_pylist(), answers)

    def faults(self, prompts: Sequence[Turns], answers: Sequence[Sequence[str]]) -> list[list[str | None]]:
        """Return per prompt, for each of its answers, the first of REASONS that holds, or None."""
        rendered = [self._render(prompt, texts) for prompt, texts in zip(prompts, answers, strict=True)]
        texts = [text for conversations in rendered for text in conversations]
        tokens = iter(tokenize(self.tokenizer, texts))
        found: list[list[str | None]] = []
        for row, conversations in zip(answers, rendered, strict=True):
            ids = [next(tokens) for _ in conversations]
            found.append(list(self._iter_row_faults(ids)) if ids else [TEMPLATE_REFUSES] * len(row))
        return found

    def _render(self, prompt: Turns, answers: Sequence[str]) -> list[str]:
        """Return the prompt and each conversation as text, or nothing where the template refuses one of them."""
        try:
            return render(self.tokenizer, prompt, answers)
        except ChatTemplateError:
            return []

    def _iter_row_faults(self, ids: list[list[int]]) -> Iterator[str | None]:
        prompt, *sides = ids
        for position, side in enumerate(sides):
            is_cut = self.max_length is not None and len(side) > self.max_length
            seen = [other[: self.max_length] for other in sides[:position]]
            if answer_tokens(prompt, side) is None:
                yield NO_PREFIX
            elif side in sides[:position]:
                yield IDENTICAL
            elif side[: self.max_length] in seen:
                yield IDENTICAL_CUT
            else:
                yield CUT if is_cut else None


def _sift_lists(batch: pa.RecordBatch, faults: list[list[str | None]], *, refuses: bool) -> Sifted:
    import pyarrow as pa

    found = Counter(fault for row in faults for fault in row if fault)
    if not refuses:
        return Sifted(batch, found)
    kept = []
    for row, row_faults in zip(batch.to_pylist(), faults, strict=True):
        places = [place for place, fault in enumerate(row_faults) if fault is None]
        if len(places) == 1:
            found[_ALONE] += 1
        elif places:
            kept.append(_at_places(row, places))
    return Sifted(pa.RecordBatch.from_pylist(kept, schema=batch.schema), found)


def _at_places(row: Mapping[str, Any], places: list[int]) -> dict[str, Any]:
    lists = ("responses", "scores", "sources", "response_ids")
    return {name: [value[place] for place in places] if name in lists else value for name, value in row.items()}


def load_tokenizer(name: str) -> Any:
    """Return the tokenizer of a folder, or of a name in the local cache; nothing is fetched, no code of it is run.

    Raises:
        UsageError: transformers is not installed, or there is no such tokenizer.
    """
    try:
        import jinja2  # noqa: F401  transformers renders templates with it and does not require it
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UsageError(f"--tokenizer needs {error.name or 'transformers'}; install tso[template]") from error
    try:
        return AutoTokenizer.from_pretrained(name, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises whatever the files provoke
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"no tokenizer at {name!r} ({reason}); name a folder that holds one") from error


def tokenizer_sha256(tokenizer: Any) -> str:
    """Return a hash of what turns text into ids: the tokenizer's own JSON, or its vocabulary where it has none."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    state = backend.to_str() if backend is not None else sorted(tokenizer.get_vocab().items())
    return _sha256(canonical_json([type(tokenizer).__name__, state]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
