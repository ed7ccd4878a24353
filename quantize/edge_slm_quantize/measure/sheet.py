"""The sheet that a recipe's measures are written on: one part that fails leaves the others."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.measure.speed import Figures
from edge_slm_quantize.records import Measured


@dataclass
class Sheet:
    """What is asked for (names of metrics.METRICS), and what came of it."""

    asked: Sequence[str]
    values: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def measure(self, name: str, gives: Sequence[str], work: Callable[[], Figures]) -> None:
        """Do one part, if any of what it gives is asked for.

        Args:
            name: of its details.
            gives: names of the metrics.
            work: returns values, details and why some are absent.
        Raises:
            UsageError: at once, since the caller has to mend it. Any other error of this program
                is written down as the reason why this part is absent.
        """
        wanted = [metric for metric in gives if metric in self.asked]
        if not wanted:
            return
        try:
            values, details, absent = work()
        except UsageError:
            raise
        except EdgeSlmError as error:
            self.absent.update(dict.fromkeys(wanted, str(error)))
            return
        self.values.update(values)
        self.details[name] = details
        self.absent.update({metric: why for metric, why in absent.items() if metric in self.asked})

    def measured(self) -> Measured:
        """Return the record; whatever was asked for and is not there has a sentence."""
        why = t(
            "Not measured for this kind of model and format.",
            "Non mesuré pour ce genre de modèle et ce format.",
        )
        missing = [name for name in self.asked if name not in self.values]
        return Measured(
            values=self.values,
            absent={name: self.absent.get(name, why) for name in missing},
            details=self.details,
            seconds=time.monotonic() - self._began,
        )
