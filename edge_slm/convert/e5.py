"""Turns the multilingual E5 container into a GGUF file that llama.cpp runs on any processor.

The weights are not touched: the container's Q4_0 blocks are ggml's own and are copied byte for
byte, so that the conversion loses nothing. Same container, same bytes out: no date, path or machine
name is written. Reading is e5_container.py; text is normalised by engines/llama/e5_text.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm.convert.e5_container import Container, Sizes, Tokenizer, read
from edge_slm.files import replacing

if TYPE_CHECKING:
    from gguf import GGUFWriter

# The token types of llama.cpp's vocabularies (`llama_token_type` in llama.h).
_NORMAL, _UNKNOWN, _CONTROL, _UNUSED = 1, 2, 3, 5
# What llama.cpp's own converter gives to the rows of the embedding matrix that have no piece.
_UNUSED_SCORE = -10000.0

_EMBEDDINGS = {
    "emb.word": "token_embd.weight",
    "emb.pos": "position_embd.weight",
    "emb.type": "token_types.weight",
    "emb.ln.w": "token_embd_norm.weight",
    "emb.ln.b": "token_embd_norm.bias",
}
_LAYER = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "ao": "attn_output",
    "aln": "attn_output_norm",
    "fi": "ffn_up",
    "fo": "ffn_down",
    "oln": "layer_output_norm",
}


def convert(container: Path, destination: Path) -> None:
    """Write the model of `container` at `destination` as GGUF, whole or not at all.

    Raises:
        IntegrityError: the container is not what its header promises; nothing is written.
        OSError: a file cannot be read or written.
    """
    from gguf import GGUFWriter

    source = read(container)
    with replacing(destination) as temporary:
        writer = GGUFWriter(temporary, "bert")
        try:
            _add_network(writer, source.sizes)
            _add_tokenizer(writer, source.tokenizer, source.sizes)
            _add_tensors(writer, source)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()


def _add_network(writer: "GGUFWriter", sizes: Sizes) -> None:
    from gguf import LlamaFileType, PoolingType

    writer.add_type("model")
    writer.add_name("multilingual-e5-small")
    writer.add_license("mit")
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_0)
    writer.add_quantization_version(2)
    writer.add_context_length(sizes.positions)
    writer.add_embedding_length(sizes.hidden)
    writer.add_feed_forward_length(sizes.feed_forward)
    writer.add_block_count(sizes.layers)
    writer.add_head_count(sizes.heads)
    writer.add_layer_norm_eps(sizes.epsilon)
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.MEAN)


def _add_tokenizer(writer: "GGUFWriter", tokenizer: Tokenizer, sizes: Sizes) -> None:
    spare = range(len(tokenizer.pieces), sizes.vocabulary)
    kinds = [_NORMAL] * len(tokenizer.pieces) + [_UNUSED] * len(spare)
    for control in (tokenizer.bos, tokenizer.eos, tokenizer.pad):
        kinds[control] = _CONTROL
    kinds[tokenizer.unknown] = _UNKNOWN
    mask = tokenizer.pieces.index("<mask>") if "<mask>" in tokenizer.pieces else None
    if mask is not None:
        kinds[mask] = _CONTROL

    writer.add_tokenizer_model("t5")  # llama.cpp's name for unigram tokenizers
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*tokenizer.pieces, *(f"[PAD{i}]" for i in spare)])
    writer.add_token_scores([*tokenizer.scores, *(_UNUSED_SCORE for _ in spare)])
    writer.add_token_types(kinds)
    writer.add_token_type_count(sizes.token_types)
    writer.add_bos_token_id(tokenizer.bos)
    writer.add_eos_token_id(tokenizer.eos)
    writer.add_unk_token_id(tokenizer.unknown)
    writer.add_sep_token_id(tokenizer.eos)
    writer.add_pad_token_id(tokenizer.pad)
    if mask is not None:
        writer.add_mask_token_id(mask)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)


def _add_tensors(writer: "GGUFWriter", source: Container) -> None:
    from gguf import GGMLQuantizationType

    for name, new_name in _tensor_names(source.sizes.layers):
        tensor = source.tensors[name]
        kind = GGMLQuantizationType.Q4_0 if tensor.dtype.itemsize == 1 else GGMLQuantizationType.F32
        writer.add_tensor(new_name, tensor, raw_dtype=kind)


def _tensor_names(layers: int) -> Iterator[tuple[str, str]]:
    """Yield the name of each tensor in the container and in GGUF, in the order of the file."""
    yield from _EMBEDDINGS.items()
    for layer in range(layers):
        for name, new_name in _LAYER.items():
            yield f"l{layer}.{name}.w", f"blk.{layer}.{new_name}.weight"
            yield f"l{layer}.{name}.b", f"blk.{layer}.{new_name}.bias"
