"""The ways in: one module per foreign format, each a function from one parsed row to records."""

from tsodata.importers.formats import FORMATS, find_format
from tsodata.importers.loading import FileReport, ImportOptions, import_files

__all__ = ["FORMATS", "FileReport", "ImportOptions", "find_format", "import_files"]
