"""Copies a GGUF file, its blocks of other kinds than a reader knows widened to 8 bits (Q8_0).

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from collections.abc import Collection
from pathlib import Path

from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, Keys
from gguf.quants import dequantize, quantize

WIDE = GGMLQuantizationType.Q8_0


def needs_widening(path: Path, known: Collection[str]) -> bool:
    """Return whether a file holds tensors of other types than those named."""
    return any(tensor.tensor_type.name not in known for tensor in GGUFReader(path).tensors)


def widen(path: Path, to: Path, known: Collection[str]) -> None:
    """Write `to`: the file with tensors of the types named only, all else as Q8_0."""
    reader = GGUFReader(path)
    architecture = reader.fields[Keys.General.ARCHITECTURE].contents()
    writer = GGUFWriter(to, architecture)
    for field in reader.fields.values():
        # The writer writes these itself.
        if field.name == Keys.General.ARCHITECTURE or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, inner)
    for tensor in reader.tensors:
        data, form = tensor.data, tensor.tensor_type
        if form.name not in known:
            data, form = quantize(dequantize(data, form), WIDE), WIDE
        writer.add_tensor(tensor.name, data, raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
