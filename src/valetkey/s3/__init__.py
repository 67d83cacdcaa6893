"""The S3 protocol as data: operations, requests, XML in and out, headers, error codes.

Pure: bytes and values go in, values and bytes come out. What a request means is decided here; what is
done about it is not.
"""
