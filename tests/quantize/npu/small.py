"""Small random models as Hugging Face folders, and orders for them: whole chains in seconds."""

from pathlib import Path
from typing import Any

from edge_slm_quantize.records import Npu, Order, Source, Target, Texts

SEQUENCE = 16
# The kinds of words matter not: a random model knows none.
_WORDS = (
    *("leave", "days", "request", "form", "manager", "salary"),
    *("congé", "jours", "demande", "chef", "service", "paie"),
)
LINES = tuple(
    " ".join(_WORDS[(number * 5 + place * (number + 1)) % 12] for place in range(6 + number % 5))
    for number in range(40)
)


def small_encoder(folder: Path, kind: str = "bert", spread: float = 0.3) -> Path:
    """Write an encoder of 2 layers.

    Args:
        folder: to make.
        kind: its model_type.
        spread: of its weights; small ones make attention uniform, which forgives anything.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    sizes = {
        "vocab_size": 300,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": 64,
        "initializer_range": spread,
        "pad_token_id": 0,
    }
    config = transformers.AutoConfig.for_model(kind, **sizes)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    return _with_tokenizer(folder)


def small_decoder(folder: Path, kind: str = "llama", outlier: bool = False) -> Path:
    """Write a chat model of 2 layers whose first token, 0, stands for the start.

    Args:
        folder: to make.
        kind: its model_type, “llama” or “qwen2”.
        outlier: the first token gets an activation thousands of times the others', as in real
            models, through one neuron that only it excites.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    sizes = {
        "vocab_size": 300,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 128,
        "max_position_embeddings": 128,
        "initializer_range": 0.15,
        "bos_token_id": 0,
        "tie_word_embeddings": False,
    }
    config = transformers.AutoConfig.for_model(kind, **sizes)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.normal_()
        if outlier:
            _excite(model)
    model.save_pretrained(folder)
    return _with_tokenizer(folder)


def _excite(model: Any) -> None:
    channel, neuron = 3, 5  # only the first token has something in this channel
    table, layer = model.model.embed_tokens.weight, model.model.layers[0]
    table[:, channel] = 0
    table[0] = 0
    table[0, channel] = 0.4
    layer.self_attn.v_proj.weight[:, channel] = 0
    layer.self_attn.o_proj.weight[channel] = 0
    for part in (layer.mlp.gate_proj, layer.mlp.up_proj):
        part.weight[neuron] = 0
        part.weight[neuron, channel] = 4
    layer.mlp.down_proj.weight[:, neuron] = 0
    layer.mlp.down_proj.weight[channel, neuron] = 10


def _with_tokenizer(folder: Path) -> Path:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<s>": 0, **{letter: number for number, letter in enumerate(alphabet, 1)}}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.save(str(folder / "tokenizer.json"))
    return folder


def order_for(
    job: Path,
    source: Path,
    recipe: str = "qnn-a16w8",
    task: str = "embed",
    lines: tuple[str, ...] = LINES,
    npu: Npu | None = None,
) -> Order:
    """Return an order to compile a folder for Hexagon v73."""
    return Order(
        recipe=recipe,
        source=Source(
            name="small",
            task=task,  # type: ignore[arg-type]
            architecture="bert",
            format="safetensors",
            path=str(source),
            sha256="0" * 64,
            quantisation=None,
            parameters=120_000,
            context=64,
        ),
        target=Target(
            id="hexagon",
            title="A chip",
            titre="Une puce",
            formats=("qnn",),
            ram=10**9,
            disk=10**9,
            recipes={},
            gate={},
            npu=npu or Npu(backend="qnn", soc_model=60, htp_arch=73, sequence=SEQUENCE),
        ),
        folder=str(job),
        texts=Texts(
            calibration=lines[::2], evaluation=lines[1::2], sha256="1" * 64, origin="a test"
        ),
        tokens=8 * SEQUENCE,
        threads=1,
    )
