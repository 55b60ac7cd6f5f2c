"""From paths to files to rows. Knows no format of the field: what a row means is the importers' business.

Files are hostile until parsed: every reader holds to the same `Limits`. A row that is no row comes with its reason; a
file that cannot be read on raises one `ImportRefusedError`. Foreign bytes are parsed by json, csv, pyarrow and
openpyxl, never by the database, and nothing that stands in a file decides which file is opened next, but for the data
files that a folder of `datasets` lists, which must lie in that very folder.
"""

from tsodata.reading.files import bare_stem, file_sha256, iter_rows
from tsodata.reading.finding import FoundFiles, find_files
from tsodata.reading.json_rows import parse_json
from tsodata.reading.limits import Limits
from tsodata.reading.rows import Formula, RawRow

__all__ = [
    "Formula",
    "FoundFiles",
    "Limits",
    "RawRow",
    "bare_stem",
    "file_sha256",
    "find_files",
    "iter_rows",
    "parse_json",
]
