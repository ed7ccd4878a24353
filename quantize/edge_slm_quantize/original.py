"""The original: what was measured of it, and how large it is."""

from pathlib import Path

import msgspec

from edge_slm_quantize.records import Measured, Source

# Of a folder, as publishers give it: weights, configuration, vocabulary. What else lies there
# (other formats of the same weights, a history) is no part of the model.
_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".spm", ".txt", ".bin")
_OTHER_WEIGHTS = ("pytorch_model", "tf_model", "flax_model", "training_args")


def with_size(measured: Measured, source: Source) -> Measured:
    """Return what was measured of the source, with the bytes of its files as `size`."""
    absent = {name: why for name, why in measured.absent.items() if name != "size"}
    values = {"size": float(bytes_of(source)), **measured.values}
    return msgspec.structs.replace(measured, values=values, absent=absent)


def bytes_of(source: Source) -> int:
    """Return the bytes of a source's file, or of the files of its folder that the model needs."""
    path = Path(source.path)
    if path.is_file():
        return path.stat().st_size
    return sum(
        one.stat().st_size
        for one in path.iterdir()
        if one.is_file()
        and one.suffix in _SUFFIXES
        and not one.name.startswith((".", *_OTHER_WEIGHTS))
    )
