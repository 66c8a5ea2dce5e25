"""Why a backup can't be made, read or restored."""


class Refused(Exception):
    """A reason, in the one line the console shows. Nothing was changed, or all of it was undone."""
