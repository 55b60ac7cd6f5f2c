"""The ways in: one module per foreign format, each a function from one parsed row to records."""

from tsodata.importers.loading import FORMATS, FileReport, ImportOptions, import_files

__all__ = ["FORMATS", "FileReport", "ImportOptions", "import_files"]
