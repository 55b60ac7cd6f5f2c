"""From messages to a prompt's text and tokens, by a model's own tokenizer and chat template; and which those are.

A model is a folder, or a name in the local cache of Hugging Face. Nothing is fetched, and no code of it is run unless
asked for. The hashes are of files, so that they are the same whatever library reads them. Knows no weights but their
hash, and no torch. transformers and jinja2 are extras.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tsodata.engines.protocol import Failure, FailureKind, ModelIdentity, Request
from tsodata.errors import DataError, UsageError
from tsodata.provenance import files_sha256
from tsodata.records import Message

REMOTE_CODE = "+remote-code"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TOKENIZER_FILES = (
    "added_tokens.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spiece.model",
    "tekken.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)


class PromptRefusedError(DataError):
    """A chat template takes no such conversation."""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt as the model reads it."""

    text: str
    ids: tuple[int, ...]

    @property
    def sha256(self) -> str:
        """Return the hash of the text, in hex."""
        return _sha256(self.text)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's folder, the name it goes by, and the revision that was asked for, if any."""

    name: str
    folder: Path
    trust_remote_code: bool = False

    @property
    def revision(self) -> str:
        """Return the sha256 over configuration and weights, as the store has it of a trained policy.

        Code of the model that may run is hashed with them, and the revision says so.

        Raises:
            UsageError: there are no weights in safetensors.
        """
        weights = list(self.folder.glob("*.safetensors"))
        if not weights:
            raise UsageError(f"{self.folder}: no weights in safetensors there; other formats can run code")
        code = sorted(self.folder.glob("*.py")) if self.trust_remote_code else []
        return (
            _files_sha256([*sorted([self.folder / "config.json", *weights]), *code])
            + REMOTE_CODE * self.trust_remote_code
        )


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A model's tokenizer with its chat template."""

    tokenizer: Any
    template_sha256: str
    tokenizer_sha256: str

    @classmethod
    def load(cls, files: ModelFiles) -> ChatTemplate:
        """Return the chat template of a model.

        Raises:
            UsageError: transformers is not installed, there is no tokenizer, or it has no chat template.
        """
        tokenizer = load_tokenizer(files.folder, trust_remote_code=files.trust_remote_code)
        if not tokenizer.chat_template:
            raise UsageError(f"{files.name}: the tokenizer has no chat template; add chat_template.jinja to its folder")
        template = tokenizer.get_chat_template()
        return cls(tokenizer, _sha256(template), tokenizer_sha256(files.folder))

    def render(self, messages: Sequence[Message]) -> RenderedPrompt:
        """Return the prompt that asks for the assistant's next turn.

        Raises:
            PromptRefusedError: the template takes no such conversation.
        """
        turns = [{"role": message["role"], "content": message["content"]} for message in messages]
        try:
            text: str = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # a template is a program of its own and may raise anything
            raise PromptRefusedError(f"the chat template refuses the conversation: {first_line(error)}") from error
        return RenderedPrompt(text, tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"]))

    @property
    def end(self) -> int | None:
        """Return the token that the tokenizer ends a text with, if it has one."""
        end: int | None = self.tokenizer.eos_token_id
        return end

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of an answer's tokens."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def named(self, top: Sequence[Mapping[int, float]]) -> tuple[dict[str, float], ...]:
        """Return log-probabilities by the text of their token; of several with one text, the most likely counts."""
        return tuple(
            {self.tokenizer.decode([token]): logp for token, logp in sorted(at.items(), key=lambda item: item[1])}
            for at in top
        )


def find_model(model: str, *, revision: str | None = None, trust_remote_code: bool = False) -> ModelFiles:
    """Return the files of a model: a folder, or a name in the local cache of Hugging Face.

    Code of a model runs only where its revision is pinned: a hub commit, or a folder's own sha256.

    Raises:
        UsageError: there is no such model here, or it is of another revision.
    """
    if trust_remote_code and not revision:
        raise UsageError(f"{model}: its code runs only at a pinned revision; name one with --revision")
    folder = Path(model)
    if not folder.is_dir():
        if trust_remote_code and not _COMMIT.fullmatch(revision or ""):
            raise UsageError(f"{model}: its code runs only at a commit of 40 hex digits, not at {revision!r}")
        return ModelFiles(model, _cached_folder(model, revision), trust_remote_code)
    if not (folder / "config.json").is_file():
        raise UsageError(f"{model}: no model there (no config.json)")
    found = ModelFiles(folder.resolve().name, folder.resolve(), trust_remote_code)
    if revision and found.revision.removesuffix(REMOTE_CODE) != revision.removesuffix(REMOTE_CODE):
        raise UsageError(f"{model}: its revision is {found.revision}, not {revision}; look who changed it")
    return found


def fitted_prompt(template: ChatTemplate, request: Request, context: int | None) -> RenderedPrompt | Failure:
    """Return a request's prompt, or a failure: the template refuses it, or the context has no room for its answer."""
    try:
        prompt = template.render(request.messages)
    except PromptRefusedError as error:
        return Failure(FailureKind.BAD_REQUEST, str(error))
    n_prompt, n_answer = len(prompt.ids), request.sampling.max_tokens
    if context is None or n_prompt + n_answer <= context:
        return prompt
    detail = f"{n_prompt} tokens of prompt and up to {n_answer} of answer do not fit the context of {context}"
    return Failure(FailureKind.TOO_LONG, detail)


def identify(files: ModelFiles, template: ChatTemplate) -> ModelIdentity:
    """Return which weights answer, by which template and tokenizer."""
    return ModelIdentity(files.name, files.revision, template.template_sha256, template.tokenizer_sha256)


def identify_files(files: ModelFiles) -> ModelIdentity:
    """Return the same of a model that another process reads, from its files alone.

    Raises:
        UsageError: there is no chat template beside the tokenizer.
    """
    template = _template_text(files.folder)
    if not template:
        raise UsageError(f"{files.name}: no chat template there; add chat_template.jinja to its folder")
    return ModelIdentity(files.name, files.revision, _sha256(template), tokenizer_sha256(files.folder))


def load_tokenizer(folder: str | Path, *, trust_remote_code: bool = False) -> Any:
    """Return the tokenizer of a folder.

    Raises:
        UsageError: transformers is not installed, or there is no tokenizer that it can read.
    """
    try:
        import jinja2  # noqa: F401  transformers renders templates with it and does not require it
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UsageError(f"chat templates need {error.name or 'transformers'}; install tso[template]") from error
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=trust_remote_code)
    except Exception as error:  # transformers raises whatever the files provoke
        raise UsageError(f"no tokenizer at {str(folder)!r} ({first_line(error)}); name a folder with one") from error


def tokenizer_sha256(folder: Path) -> str:
    """Return the sha256 over a tokenizer's files, by name and bytes, in hex; its chat template's own file aside."""
    return _files_sha256(folder / name for name in _TOKENIZER_FILES if (folder / name).is_file())


def first_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _template_text(folder: Path) -> str | None:
    """Return the chat template of a folder; of several in the tokenizer's configuration, the default one."""
    own = folder / "chat_template.jinja"
    with contextlib.suppress(OSError, ValueError):
        if own.is_file():
            return own.read_text(encoding="utf-8")
        said = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
        if isinstance(said, list):
            said = {row["name"]: row["template"] for row in said}.get("default")
        return said if isinstance(said, str) else None
    return None


def _cached_folder(name: str, revision: str | None) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise UsageError(f"{name}: no such folder, and no Hugging Face cache without huggingface_hub") from error
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception as error:  # a name that is none raises ValueError, a missing one an error of the hub's own
        at = f" at {revision}" if revision else ""
        raise UsageError(f"{name}: no such folder, and not in the local cache{at}; fetch it (hf download)") from error


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _files_sha256(files: Iterable[Path]) -> str:
    """Return the sha256 over files, each its name and its bytes; read once in a process unless they change."""
    return _known_sha256(tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=64)
def _known_sha256(files: tuple[tuple[Path, int, int], ...]) -> str:
    return files_sha256(file for file, _, _ in files)
