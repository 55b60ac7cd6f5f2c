"""Data sets for trainers and answer files for benchmarks, written whole or not at all. One module per format."""

from tsodata.exporters.benchmarks import ANSWER_FILES, AnswersReport, export_answers
from tsodata.exporters.builds import kind_of_build
from tsodata.exporters.exporting import ExportReport, export_build, preview_build
from tsodata.exporters.files import ExportedFile
from tsodata.exporters.formats import FORMATS, Format, find_format

__all__ = [
    "ANSWER_FILES",
    "FORMATS",
    "AnswersReport",
    "ExportReport",
    "ExportedFile",
    "Format",
    "export_answers",
    "export_build",
    "find_format",
    "kind_of_build",
    "preview_build",
]
