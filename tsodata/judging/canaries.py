"""Canaries: answers that have to rank low, planted among real work to see whether the judge is awake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tsodata.judging.asking import Waiting
from tsodata.judging.probes import CANARY, Probe, is_drawn, probing


class Canaries:
    """Plants, for a share of the prompts, the answer to another prompt in the place of one answer to this.

    The judge is asked about it by the same questions and as often as about the answer that it stands for.
    """

    def __init__(self, share: float, seed: int) -> None:
        self.share, self.seed = share, seed
        self._probes: dict[int, Probe] = {}  # by prompt

    def planted(self, real: Sequence[Waiting]) -> Iterator[Waiting]:
        """Yield what is asked for beside a slice of real work."""
        if not self.share:
            return
        for waiting in real:
            probe = self._probe(waiting, real)
            if probe and probe.original.response_key == waiting.shown[0].response_key:
                question = probing(waiting.question, CANARY)
                yield Waiting(question, (probe.answer,), waiting.sample_index, probe)

    def _probe(self, waiting: Waiting, real: Sequence[Waiting]) -> Probe | None:
        original = waiting.shown[0]
        if original.prompt_key not in self._probes and is_drawn(self.share, original.prompt_key, self.seed):
            texts = (one.shown[0].text for one in real if one.shown[0].prompt_key != original.prompt_key)
            text = next((text for text in texts if text != original.text), None)
            if text is not None:
                self._probes[original.prompt_key] = Probe(CANARY, CANARY, original, text)
        return self._probes.get(original.prompt_key)
