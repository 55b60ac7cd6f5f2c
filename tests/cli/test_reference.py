"""The pages of docs/ that are made from the code say what the code says."""

from pathlib import Path

import pytest
from tsocli.reference import PAGES

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name):
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "python -m tsocli.reference docs writes it anew"
