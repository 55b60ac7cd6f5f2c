"""The rows that OpenRLHF reads for reward models and DPO with a prompt key and a chat template.

OpenRLHF joins the lists `prompt` + `chosen` and `prompt` + `rejected`, renders each with the tokenizer's template, and
cuts the rendered prompt off by its length. Given a folder it reads every JSON, Parquet and text file below it as
training rows, so it must be given the file. Read in OpenRLHF/OpenRLHF, openrlhf/datasets/reward_dataset.py
(preprocess_data), openrlhf/utils/utils.py (blending_datasets) and openrlhf/cli/train_dpo.py (names of the flags).
"""

from __future__ import annotations

from tsodata.exporters import trl

USAGE = """\
Name the files: given a folder, OpenRLHF takes every file in it for training rows.

    --data.dataset train.jsonl --data.prompt_key prompt --data.chosen_key chosen --data.rejected_key rejected \\
    --data.apply_chat_template --eval.dataset test.jsonl --eval.split train

Before its version with dotted names the flags are `--dataset`, `--prompt_key`, `--chosen_key`, `--rejected_key`,
`--apply_chat_template` and `--eval_dataset`.
"""

schema = trl.schema
shape = trl.shape
