"""Croissant JSON-LD, croissant.json: the files, columns and origin of an export for machines.

Croissant 1.0 (http://mlcommons.org/croissant/1.0): a schema.org Dataset whose `distribution` lists the files with
their hashes and whose `recordSet` has one entry per split with its fields. The origin is said in PROV-O: the export
was derived from a snapshot of the store, by a build with its recipe and seed. It holds no time, so one build gives the
same bytes; and no licence, for the reason that the card gives.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tsodata.exporters.builds import BuildToExport
    from tsodata.exporters.files import ExportedFile
    from tsodata.exporters.formats import Format

CROISSANT_NAME = "croissant.json"
_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_CONTEXT: dict[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
    "tso": "https://arxiv.org/abs/2409.02118#",
}
_ENCODINGS = {
    ".parquet": "application/x-parquet",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".txt": "text/plain",
}
_TYPES = {"string": "sc:Text", "double": "sc:Float", "int32": "sc:Integer", "bool": "sc:Boolean"}


def croissant_bytes(
    build: BuildToExport, to: Format, *, files: list[ExportedFile], by_split: Mapping[str, str]
) -> bytes:
    """Return the description of the files of an export; `by_split` names those that hold rows."""
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": build.name,
        "description": f"{to.says}. Build {build.build_id} of a preference store.",
        "conformsTo": _CONFORMS_TO,
        "version": "1.0.0",
        "keywords": ["tso", *to.tags],
        "prov:wasDerivedFrom": {"@id": f"tso:{build.snapshot_id}", "@type": "prov:Entity"},
        "prov:wasGeneratedBy": _activity(build),
        "distribution": [_file_object(file) for file in files],
        "recordSet": [_record_set(split, path, to.schema()) for split, path in by_split.items()],
    }
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def _activity(build: BuildToExport) -> dict[str, object]:
    activity: dict[str, object] = {
        "@id": f"tso:{build.build_id}",
        "@type": "prov:Activity",
        "prov:used": {"@id": f"tso:{build.snapshot_id}"},
        **({"tso:base": build.base} if build.base else {}),
        "tso:seed": build.seed,
        "tso:recipe": json.dumps(build.recipe, sort_keys=True, ensure_ascii=False),
    }
    return activity if build.minibatch is None else {**activity, "tso:minibatch": build.minibatch}


def _file_object(file: ExportedFile) -> dict[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _ENCODINGS[file.path[file.path.rindex(".") :]],
        "sha256": file.sha256,
    }


def _record_set(split: str, path: str, schema: pa.Schema) -> dict[str, object]:
    fields = [_field(f"{split}/{field.name}", field.type, source=_source(path, field.name)) for field in schema]
    return {"@type": "cr:RecordSet", "@id": split, "name": split, "field": fields}


def _source(path: str, column: str) -> dict[str, object]:
    return {"fileObject": {"@id": path}, "extract": {"column": column}}


def _field(field_id: str, kind: pa.DataType, *, source: dict[str, object]) -> dict[str, object]:
    import pyarrow as pa

    described: dict[str, object] = {"@type": "cr:Field", "@id": field_id, "name": field_id}
    if pa.types.is_list(kind):
        described["repeated"] = True
        kind = kind.value_type
    if pa.types.is_struct(kind):
        described["subField"] = [
            _field(f"{field_id}/{inner.name}", inner.type, source={**source, "transform": {"jsonPath": inner.name}})
            for inner in kind.fields
        ]
        return described
    return {**described, "dataType": _TYPES[str(kind)], "source": source}
