"""A folder with all that a loop needs, and a loop of three stages that nobody has disturbed."""

import pytest
from loop_place import Place


@pytest.fixture(scope="session")
def make_place(tmp_path_factory):
    """Make a folder with models, a store and settings."""
    return lambda: Place(tmp_path_factory.mktemp("loop")).fill()


@pytest.fixture
def place(make_place):
    """Return a place of one's own, in which nothing has run."""
    return make_place()


@pytest.fixture(scope="session")
def untouched(make_place):
    """Return a place whose loop never gets as far as an answer."""
    return make_place()


@pytest.fixture(scope="session")
def undisturbed(make_place):
    """Return a place whose loop has run up to stage 2, and its report."""
    place = make_place()
    return place, place.loop("--until", "stage", "2")
