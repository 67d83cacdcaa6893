"""The download's name, as the flag --filename gives it."""

from valetkey.cli.errors import BadInputError
from valetkey.cli.location import require_text
from valetkey.s3 import disposition


def attachment(filename: str) -> str:
    """Return the Content-Disposition that saves a download as `filename`.

    Raises:
        BadInputError: no file can have the name: it is blank, or holds a control character or a slash.
    """
    require_text(filename, what="--filename")
    if filename.strip(" .") == "":
        raise BadInputError("--filename is blank: give the name under which the download is to be saved")
    if not disposition.is_filename(filename):
        raise BadInputError("--filename is a name without folders and without control characters")
    return disposition.attachment(filename)
