"""Runs in vLLM's own environment, by path: one model, asked over a socket in JSON lines. Imports nothing of ours.

    python vllm_worker.py FD

The first line that comes holds the arguments of `vllm.LLM`; the answer to it is `{"context": tokens}`, or `{"error":
text}` and the end. Each line after it is `{"requests": […]}`, a request having `ids`, `temperature`, `top_p`,
`max_tokens`, `stop`, `top_logprobs` and `seed`; the answer is `{"answers": […]}` in their order, `{"error": text}` for
those that vLLM does not take. What vLLM prints goes where our stdout goes. Ends when the socket closes.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any


def main(fd: int) -> None:
    """Serve one model until the socket closes."""
    with socket.socket(fileno=fd) as channel, channel.makefile("rw", encoding="utf-8") as lines:
        first = lines.readline()
        if not first:
            return
        llm = _load(json.loads(first), lines)
        for line in lines:
            _tell(lines, {"answers": _answers(llm, json.loads(line)["requests"])})


def _load(arguments: dict[str, Any], lines: Any) -> Any:
    try:
        from vllm import LLM

        llm = LLM(**arguments)
    except Exception as error:
        _tell(lines, {"error": _first_line(error)})
        raise
    _tell(lines, {"context": llm.llm_engine.model_config.max_model_len})
    return llm


def _answers(llm: Any, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers; where vLLM does not take the requests together, it is asked for each alone."""
    try:
        return _generate(llm, requests)
    except (ValueError, TypeError) as error:
        if len(requests) == 1:
            return [{"error": _first_line(error)}]
        return [answer for request in requests for answer in _answers(llm, [request])]


def _generate(llm: Any, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from vllm import SamplingParams

    params = [
        SamplingParams(
            temperature=request["temperature"],
            top_p=request["top_p"],
            max_tokens=request["max_tokens"],
            stop=request["stop"],
            seed=request["seed"],
            logprobs=request["top_logprobs"],
        )
        for request in requests
    ]
    outputs = llm.generate([{"prompt_token_ids": request["ids"]} for request in requests], params, use_tqdm=False)
    return [_answer(output, request) for output, request in zip(outputs, requests, strict=True)]


def _answer(output: Any, request: dict[str, Any]) -> dict[str, Any]:
    (said,) = output.outputs
    n_top = request["top_logprobs"]
    return {
        "text": said.text,
        "finish_reason": said.finish_reason,
        "n_tokens": len(said.token_ids),
        "top": [_top(place, n_top) for place in said.logprobs] if n_top else None,
    }


def _top(place: dict[int, Any], n_top: int) -> dict[str, float]:
    """Return the likeliest tokens; vLLM adds the one that was drawn, of whatever rank."""
    ranked = sorted(place.values(), key=lambda at: at.rank, reverse=True)
    return {at.decoded_token: at.logprob for at in ranked if at.rank <= n_top}


def _tell(lines: Any, what: dict[str, Any]) -> None:
    lines.write(f"{json.dumps(what)}\n")
    lines.flush()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    sys.path.pop(0)  # this folder: its vllm.py is not vLLM
    main(int(sys.argv[1]))
