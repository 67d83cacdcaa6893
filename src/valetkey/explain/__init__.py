"""Why a presigned URL does not work: decoding it, finding what is wrong, and trying what would mend it. Pure."""
