"""Policies: loaded from and saved as what transformers loads, and scored on packed examples.

A policy's hash is over the bytes of its weights and configuration, so a cached reference cannot be another's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from tsodata.provenance import files_sha256
from tsotrain import attention, norms, varlen
from tsotrain.batching import Example, PackedBatch, pack
from tsotrain.errors import TrainError
from tsotrain.logprobs import Buffers, ExampleLoss, head_loss, response_logprobs
from tsotrain.reusing import rounded

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_TOLERANCE_NATS = 1e-3  # between packed and plain scores in fp32, relative to the larger of 1 and the score


class Policy(nn.Module):
    """A causal language model that scores packed examples in its forward pass.

    Body and head both run inside `forward`, because FSDP2 gathers a root module's weights there and nowhere else.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self._head_buffers = Buffers()

    @property
    def body_share(self) -> float:
        """Return the share of the parameters that is in neither the embeddings nor the head."""
        ends: tuple[Any, ...] = (self.model.get_input_embeddings(), self.model.get_output_embeddings())
        n_in_ends: int = sum({id(end.weight): end.weight.numel() for end in ends}.values())  # tied ones count once
        return 1 - n_in_ends / sum(weight.numel() for weight in self.parameters())

    def forward(self, batch: PackedBatch, example_loss: ExampleLoss | None = None) -> tuple[Tensor, Tensor]:
        """Return the sum of the examples' losses and the log-probability of each response, shape (E,), in nats.

        Without `example_loss` the sum is zero, and nothing is kept for a backward pass.
        """
        hidden_1TD = self._hidden(batch)
        hidden_SD = hidden_1TD[0].index_select(0, batch.states_S)
        weight_VD = self.model.get_output_embeddings().weight
        if example_loss is None:
            logps_E = response_logprobs(
                hidden_SD, weight_VD, batch.targets_S, batch.lengths, buffers=self._head_buffers
            )
            return logps_E.new_zeros(()), logps_E
        return head_loss(
            hidden_SD, weight_VD, batch.targets_S, batch.lengths, example_loss=example_loss, buffers=self._head_buffers
        )

    def plain_logprobs(self, example: Example, device: torch.device | str) -> list[float]:
        """Return the log-probability of each response by the model's own forward pass, in nats: to compare with.

        Its norms are those of `norms`, each class of which has been tried.
        """
        self.model.set_attn_implementation("sdpa")
        try:
            return [_plain_logprob(self.model, example.prompt, response, device) for response in example.responses]
        finally:
            self.model.set_attn_implementation(attention.NAME)

    def _hidden(self, batch: PackedBatch) -> Tensor:
        device = batch.tokens_1T.device
        dtype = attention.computed_dtype(device, self.model.dtype)
        n_filling = rounded(batch.tokens_1T.shape[1], device) - batch.tokens_1T.shape[1]
        body = self.model.base_model(
            input_ids=functional.pad(batch.tokens_1T, (0, n_filling)),
            position_ids=functional.pad(batch.positions_1T, (0, n_filling)),
            use_cache=False,
            layouts=batch.layouts,
            calls=varlen.plan_calls(batch.layouts, device) if varlen.is_usable(device, dtype) else (),
        )
        hidden_1TD: Tensor = body.last_hidden_state.to(dtype)
        return hidden_1TD


def load_policy(path: str | Path, *, device: torch.device | str = "cpu") -> Policy:
    """Return the policy of a folder, with float32 weights, dropout off.

    Raises:
        TrainError: the folder is missing, holds no model, or no safetensors.
    """
    folder = _policy_folder(path)
    logging.disable_progress_bar()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise TrainError(f"{folder}: the policy cannot be loaded: {_first_line(error)}") from error
    policy: Policy = prepared(model).to(device)
    return policy


def prepared(model: PreTrainedModel) -> Policy:
    """Return the policy that runs a model: packed attention, norms of our own, dropout off."""
    model.set_attn_implementation(attention.NAME)
    norms.take_over_norms(model)
    _drop_dropout(model)
    return Policy(model)


def is_of_adapter(name: str) -> bool:
    """Say whether a weight of this name is of an adapter, and in no file of the policy's."""
    return ".lora_" in name


def name_in_file(name: str) -> str:
    """Return the name that transformers gives to a weight of a policy, beside which an adapter may stand."""
    return name.removeprefix("model.").replace(".base_layer.", ".")


def checkpoint_activations(policy: Policy) -> None:
    """Have the backward pass compute each layer's activations anew, instead of keeping them.

    transformers does so in training mode alone; dropout is off in that mode too.
    """
    model: Any = policy.model
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable  # the older
    enable({"use_reentrant": False})
    model.train()


def _policy_folder(path: str | Path) -> Path:
    if not (Path(path) / "config.json").is_file():
        raise TrainError(f"{path}: no policy there (no config.json)")
    return Path(path)


def _drop_dropout(model: nn.Module) -> None:
    """Turn dropout off: policy and reference are compared on the same computation."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        for name in ("attention_dropout", "attn_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def load_tokenizer(path: str | Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a folder.

    Raises:
        TrainError: there is none, or it has no chat template.
    """
    if not Path(path).is_dir():
        raise TrainError(f"{path}: no policy there (no such folder)")
    try:
        tokenizer = AutoTokenizer.from_pretrained(Path(path), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{path}: the tokenizer cannot be loaded: {_first_line(error)}") from error
    if not tokenizer.chat_template:
        raise TrainError(f"{path}: the tokenizer has no chat template; add chat_template.jinja to the folder")
    return tokenizer


def check_vocabulary(policy: Policy, highest_token: int) -> None:
    """Refuse a tokenizer whose ids the policy has no embedding for.

    Raises:
        TrainError: the highest token id is outside the policy's vocabulary.
    """
    embeddings: Any = policy.model.get_input_embeddings()
    n_embeddings = embeddings.weight.shape[0]
    if highest_token >= n_embeddings:
        raise TrainError(
            f"token {highest_token} of the tokenizer is outside the policy's vocabulary of {n_embeddings}; "
            "they do not belong together"
        )


@torch.no_grad()
def check_scores(policy: Policy, example: Example, device: torch.device | str) -> None:
    """Score an example packed and by the model's own plain forward pass, and refuse a model where they differ.

    Guards against architectures whose attention or head is not the plain one.

    Raises:
        TrainError: the scores differ.
    """
    _, packed_E = policy(pack([example], device))
    plain = policy.plain_logprobs(example, device)
    for ours, theirs in zip(packed_E.tolist(), plain, strict=True):
        if not abs(ours - theirs) <= _TOLERANCE_NATS * max(1.0, abs(theirs)):
            raise TrainError(
                f"{type(policy.model).__name__}: packed training scores a response {ours:.4f} nats where the model "
                f"itself gives {theirs:.4f}; this architecture is not supported"
            )


def _plain_logprob(model: Any, prompt: tuple[int, ...], response: tuple[int, ...], device: torch.device | str) -> float:
    ids = torch.tensor([prompt + response], device=device)
    logits_1TV = model(ids, use_cache=False).logits
    logits_SV = logits_1TV[0, len(prompt) - 1 : -1].float()
    logps_S = logits_SV.log_softmax(dim=-1).gather(1, ids[0, len(prompt) :, None])
    return float(logps_S.sum())


def policy_sha256(path: str | Path) -> str:
    """Return the sha256 over a policy's configuration and weights, file by file, in hex.

    Raises:
        TrainError: there is no policy.
    """
    folder = _policy_folder(path)
    return files_sha256(sorted([folder / "config.json", *folder.glob("*.safetensors")]))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
