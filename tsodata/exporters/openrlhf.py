"""The rows that OpenRLHF reads for reward models and DPO with a prompt key and a chat template, and for PPO as prompts.

OpenRLHF joins the lists `prompt` + `chosen` and `prompt` + `rejected`, renders each with the tokenizer's template, and
cuts the rendered prompt off by its length; PPO renders `prompt` alone, with the generation prompt behind it. Given a
folder it reads every JSON, Parquet and text file below it as training rows, so it must be given the file. Read in
OpenRLHF/OpenRLHF, openrlhf/datasets/reward_dataset.py and prompts_dataset.py (preprocess_data), openrlhf/utils/utils.py
(blending_datasets) and openrlhf/cli/train_dpo.py (names of the flags).
"""

from __future__ import annotations

from tsodata.exporters import trl

USAGE = """\
Name the files: given a folder, OpenRLHF takes every file in it for training rows.

    --data.dataset train.jsonl --data.prompt_key prompt --data.chosen_key chosen --data.rejected_key rejected \\
    --data.apply_chat_template --eval.dataset test.jsonl --eval.split train

PPO reads the same file as prompts, one a pair, and leaves the answers alone:

    --data.prompt_dataset train.jsonl --data.input_key prompt --data.apply_chat_template

Before its version with dotted names the flags are `--dataset`, `--prompt_key`, `--chosen_key`, `--rejected_key`,
`--apply_chat_template` and `--eval_dataset`.
"""

schema = trl.schema
shape = trl.shape
