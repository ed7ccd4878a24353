"""What can be measured of a shrunk model, and so be named in a gate or a report."""

from typing import Literal, NamedTuple

from edge_slm_quantize.recipe import TASKS, Task

Group = Literal["size", "divergence", "vectors", "speed", "suite", "npu"]
Unit = Literal["", "share", "bytes", "seconds", "tokens/s", "joules", "bits"]


class Metric(NamedTuple):
    """One metric.

    better: which way is good. group: what is measured together. tasks: of which models.
    """

    better: Literal["less", "more"]
    unit: Unit
    group: Group
    tasks: tuple[Task, ...]
    english: str
    french: str


_CHAT: tuple[Task, ...] = ("chat",)
_EMBED: tuple[Task, ...] = ("embed",)

METRICS: dict[str, Metric] = {
    "size": Metric("less", "bytes", "size", TASKS, "bytes of its files", "octets de ses fichiers"),
    "bits_per_weight": Metric("less", "bits", "size", TASKS, "bits per weight", "bits par poids"),
    "kld": Metric(
        "less",
        "",
        "divergence",
        _CHAT,
        "mean KL divergence from the reference, nats a token",
        "divergence KL moyenne avec la référence, nats par jeton",
    ),
    "kld_high": Metric(
        "less",
        "",
        "divergence",
        _CHAT,
        "upper end of the 95 % interval of kld",
        "haut de l'intervalle à 95 % de kld",
    ),
    "kld_low": Metric(
        "less",
        "",
        "divergence",
        _CHAT,
        "lower end of the 95 % interval of kld",
        "bas de l'intervalle à 95 % de kld",
    ),
    "kld_p99": Metric(
        "less",
        "",
        "divergence",
        _CHAT,
        "KL divergence that 1 token in 100 exceeds",
        "divergence KL que dépasse 1 jeton sur 100",
    ),
    "top1_agreement": Metric(
        "more",
        "share",
        "divergence",
        _CHAT,
        "share of tokens whose likeliest successor is the reference's",
        "part des jetons dont le successeur le plus probable est celui de la référence",
    ),
    "perplexity": Metric("less", "", "divergence", _CHAT, "perplexity", "perplexité"),
    "cosine": Metric(
        "more",
        "share",
        "vectors",
        _EMBED,
        "mean cosine with the reference's vectors",
        "cosinus moyen avec les vecteurs de référence",
    ),
    "neighbours": Metric(
        "more",
        "share",
        "vectors",
        _EMBED,
        "share of texts whose nearest neighbour is the reference's",
        "part des textes dont le plus proche voisin est celui de la référence",
    ),
    "recall_at_5": Metric(
        "more",
        "share",
        "suite",
        _EMBED,
        "share of questions whose document is among the first five",
        "part des questions dont le document est parmi les cinq premiers",
    ),
    "prefill_tokens_per_second": Metric(
        "more", "tokens/s", "speed", _CHAT, "tokens read a second", "jetons lus par seconde"
    ),
    "tokens_per_second": Metric(
        "more", "tokens/s", "speed", _CHAT, "tokens written a second", "jetons écrits par seconde"
    ),
    "cpu_seconds_per_100": Metric(
        "less",
        "seconds",
        "speed",
        _CHAT,
        "CPU-seconds for 100 tokens written",
        "secondes de processeur pour 100 jetons écrits",
    ),
    "joules_per_100": Metric(
        "less",
        "joules",
        "speed",
        _CHAT,
        "joules for 100 tokens written",
        "joules pour 100 jetons écrits",
    ),
    "seconds_per_item": Metric(
        "less",
        "seconds",
        "speed",
        ("embed", "speech", "translate"),
        "seconds for one text or one second of sound",
        "secondes pour un texte ou une seconde de son",
    ),
    "ram": Metric("less", "bytes", "speed", TASKS, "most memory held", "plus grande mémoire tenue"),
    "faq_accuracy": Metric(
        "more",
        "share",
        "suite",
        _CHAT,
        "share of the base's questions that the model answers rightly from their passage",
        "part des questions de la base auxquelles le modèle répond juste d'après leur passage",
    ),
    "refusals": Metric(
        "more",
        "share",
        "suite",
        _CHAT,
        "share of unanswerable questions that are declined",
        "part des questions sans réponse qui sont déclinées",
    ),
    "chrf": Metric(
        "more",
        "",
        "suite",
        ("chat", "translate"),
        "chrF of translations, 0 to 100",
        "chrF des traductions, 0 à 100",
    ),
    "wer": Metric(
        "less",
        "share",
        "suite",
        ("speech",),
        "word errors per word said",
        "erreurs de mots par mot dit",
    ),
    "delegated": Metric(
        "more",
        "share",
        "npu",
        ("chat", "embed"),
        "share of the graph's nodes that run on the NPU",
        "part des nœuds du graphe qui tournent sur le NPU",
    ),
    "simulated_kld": Metric(
        "less",
        "",
        "npu",
        _CHAT,
        "kld of the NPU's simulator from the fp32 graph",
        "kld du simulateur du NPU avec le graphe fp32",
    ),
    "simulated_cosine": Metric(
        "more",
        "share",
        "npu",
        _EMBED,
        "mean cosine of the NPU's simulator with the fp32 graph",
        "cosinus moyen du simulateur du NPU avec le graphe fp32",
    ),
    "hexagon": Metric(
        "more",
        "share",
        "size",
        _CHAT,
        "share of the weights' bytes that llama.cpp's Hexagon back end takes",
        "part des octets des poids que prend le moteur Hexagon de llama.cpp",
    ),
}
