"""Data sets for trainers, written whole or not at all, with a manifest. One module per format."""

from tsodata.exporters.exporting import ExportReport, export_build
from tsodata.exporters.files import ExportedFile
from tsodata.exporters.formats import FORMATS, Format, find_format

__all__ = ["FORMATS", "ExportReport", "ExportedFile", "Format", "export_build", "find_format"]
