"""Every error that a user can meet, and the exit code that each one gives.

    EdgeSlmError            1  the request could not be answered, or a gate failed
    ├── BusyError           1  too many requests wait already
    ├── OverdueError        1  the request took longer than its caller allowed
    ├── CrashError          1  the process of a model died
    ├── UsageError          2  wrong usage or bad input
    ├── MissingError        3  a needed model or component is absent
    └── IntegrityError      4  a file is not what its card or its hash says

A message is one sentence that says what is wrong and what to do, already in the user's language
(`i18n.t`). The command line prints it on standard error; `--debug` adds the traceback.
"""


class EdgeSlmError(Exception):
    """Base of all errors shown to a user; its text is the sentence shown."""

    exit_code = 1


class BusyError(EdgeSlmError):
    """Too many requests wait for the same model already."""


class OverdueError(EdgeSlmError):
    """The request took longer than its caller allowed, and was stopped."""


class CrashError(EdgeSlmError):
    """The process of a model died, or answered no more and was ended."""


class UsageError(EdgeSlmError):
    """Wrong usage, or an input that cannot be read."""

    exit_code = 2


class MissingError(EdgeSlmError):
    """A model or a component that the request needs is not on this machine."""

    exit_code = 3


class IntegrityError(EdgeSlmError):
    """A file differs from what its card, its hash or its header promises."""

    exit_code = 4
