"""Every error that a user can meet, and the exit code that each one gives.

    EdgeSlmError            1  the request could not be answered, or a gate failed
    ├── UsageError          2  wrong usage or bad input
    ├── MissingError        3  a needed model or component is absent
    └── IntegrityError      4  a file is not what its card or its hash says

A message is one sentence that says what is wrong and what to do, already in the user's language
(`i18n.t`). The command line prints it on standard error; `--debug` adds the traceback.
"""


class EdgeSlmError(Exception):
    """Base of all errors shown to a user; its text is the sentence shown."""

    exit_code = 1


class UsageError(EdgeSlmError):
    """Wrong usage, or an input that cannot be read."""

    exit_code = 2


class MissingError(EdgeSlmError):
    """A model or a component that the request needs is not on this machine."""

    exit_code = 3


class IntegrityError(EdgeSlmError):
    """A file differs from what its card, its hash or its header promises."""

    exit_code = 4
