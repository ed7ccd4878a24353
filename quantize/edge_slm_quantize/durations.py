"""A length of time on the command line: 90s, 20m, 1h30m, or a plain number of seconds."""

import re

import click

from edge_slm.i18n import t

_PARTS = re.compile(
    r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s?)?", re.IGNORECASE
)
_LONGEST = 30 * 24 * 3600.0  # a month: beyond, it is a slip


class Seconds(click.ParamType[float]):
    """Reads a length of time as seconds."""

    name = "time"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds of a text.

        Raises:
            click.UsageError: it is no length of time, is zero, or is longer than a month.
        """
        if isinstance(value, float):
            return value
        match = _PARTS.fullmatch(value.strip())
        hours, minutes, seconds = (
            (float(part or 0) for part in (match.groups() if match else ()))
            if match
            else (0.0, 0.0, 0.0)
        )
        total = 3600 * hours + 60 * minutes + seconds
        if not 0 < total <= _LONGEST:
            self.fail(
                t(
                    "“{value}” is no length of time: write 90s, 20m or 2h.",
                    "« {value} » n'est pas une durée : écrivez 90s, 20m ou 2h.",
                    value=value[:40],
                ),
                param,
                ctx,
            )
        return total
