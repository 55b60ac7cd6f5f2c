"""Packed scores and gradients against the model's own forward pass, one response at a time."""

import pytest
import torch

from tests_train_conftest import make_model
