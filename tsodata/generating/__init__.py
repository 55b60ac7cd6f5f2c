"""From prompts to answers: what cells of the matrix lack, asked of their models and kept."""

from tsodata.generating.answering import Shelf, StoreShelf
from tsodata.generating.asking import Ask, Shard, parse_cell
from tsodata.generating.generating import CellPlan, CellReport, fill_cells, plan_cell, read_replies, write_requests
from tsodata.generating.journals import JournalShelf, journal_answers
from tsodata.generating.tables import PriceTable, make_ask, read_matrix

__all__ = [
    "Ask",
    "CellPlan",
    "CellReport",
    "JournalShelf",
    "PriceTable",
    "Shard",
    "Shelf",
    "StoreShelf",
    "fill_cells",
    "journal_answers",
    "make_ask",
    "parse_cell",
    "plan_cell",
    "read_matrix",
    "read_replies",
    "write_requests",
]
