"""Which token comes next: llama.cpp's samplers, set up from the options of a request."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines import Options, TokenLogprob
from edge_slm.engines.llama.grammar import grammar_of, unusable
from edge_slm.engines.llama.model import Context, Model

# Tokens back that the penalties look at, as in llama.cpp's own programs (common/common.h).
PENALTY_TOKENS = 64


class Sampler:
    """Chooses the next token; the most probable one unless the options ask for something else."""

    def __init__(self, model: Model, options: Options) -> None:
        """Set the samplers up.

        Raises:
            UsageError: the grammar or the schema cannot be used.
        """
        self._c = model.c
        self._stack = ExitStack()
        self._chain: Any = None
        if not _plain(options):
            self._chain = self._c.llama_sampler_chain_init(
                self._c.llama_sampler_chain_default_params()
            )
            self._stack.callback(self._c.llama_sampler_free, self._chain)
            try:
                for sampler in self._samplers(model, options):
                    self._c.llama_sampler_chain_add(self._chain, sampler)
            except BaseException:
                self.close()
                raise

    @property
    def greedy(self) -> bool:
        """Whether the most probable token is always taken."""
        return self._chain is None

    def choose(self, context: Context) -> int:
        """Return the token that follows what the context has read."""
        if self._chain is None:
            return int(context.logits().argmax())
        return int(self._c.llama_sampler_sample(self._chain, context.handle, -1))

    def close(self) -> None:
        """Free the samplers."""
        self._stack.close()

    def _samplers(self, model: Model, options: Options) -> Iterator[Any]:
        c = self._c
        if options.logit_bias:
            yield self._bias(model, options.logit_bias)
        if grammar := grammar_of(options):
            made = c.llama_sampler_init_grammar(model.vocabulary, grammar.encode(), b"root")
            if not made:
                raise unusable("the grammar does not parse", "la grammaire ne s'analyse pas")
            yield made
        if options.presence_penalty or options.frequency_penalty:
            yield c.llama_sampler_init_penalties(
                model.words,
                PENALTY_TOKENS,
                1.0,
                options.frequency_penalty,
                options.presence_penalty,
            )
        if options.temperature <= 0:
            yield c.llama_sampler_init_greedy()
            return
        if options.top_k > 0:
            yield c.llama_sampler_init_top_k(options.top_k)
        if options.top_p < 1:
            yield c.llama_sampler_init_top_p(options.top_p, 1)
        if options.min_p > 0:
            yield c.llama_sampler_init_min_p(options.min_p, 1)
        seed = secrets.randbits(32) if options.seed is None else options.seed & 0xFFFFFFFF
        yield c.llama_sampler_init_temp(options.temperature)
        yield c.llama_sampler_init_dist(seed)

    def _bias(self, model: Model, bias: dict[int, float]) -> Any:
        known = [(token, value) for token, value in bias.items() if 0 <= token < model.words]
        array = (self._c.llama_logit_bias * len(known))()
        for place, (token, value) in enumerate(known):
            array[place].token, array[place].bias = token, value
        return self._c.llama_sampler_init_logit_bias(model.words, len(known), array)


def logprob_of(
    model: Model, logits: NDArray[np.float32], token: int, alternatives: int
) -> TokenLogprob:
    """Return the natural log-probability of a token, and of the likeliest ones.

    Args:
        model: names the tokens.
        logits: (words,), as the model gave them.
        token: the one that was chosen.
        alternatives: how many of the likeliest to name.
    """
    highest = float(logits.max())
    total = highest + float(np.log(np.exp(logits - highest, dtype=np.float64).sum()))
    top: Sequence[int] = ()
    if alternatives > 0:
        count = min(alternatives, len(logits))
        best = np.argpartition(logits, -count)[-count:]
        top = best[np.argsort(-logits[best], kind="stable")].tolist()
    return TokenLogprob(
        model.piece(token, special=True),
        float(logits[token]) - total,
        tuple((model.piece(other, special=True), float(logits[other]) - total) for other in top),
    )


def _plain(options: Options) -> bool:
    return options.temperature <= 0 and not (
        options.grammar
        or options.json_schema
        or options.logit_bias
        or options.presence_penalty
        or options.frequency_penalty
    )
