"""What can be wrong with a signed request: one row for each cause, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple


class Cause(Enum):
    """A way to break a signed request. The value is its stable name, for programs."""

    WHITESPACE = "whitespace"
    WRAPPED = "wrapped"
    TRAILING_PUNCTUATION = "trailing-punctuation"
    HTML_ESCAPED = "html-escaped"
    JSON_ESCAPED = "json-escaped"
    BACKSLASHES = "backslashes"
    QUOTED_PRINTABLE = "quoted-printable"
    LINK_WRAPPER = "link-wrapper"
    SHELL_AMPERSAND = "shell-ampersand"
    CUT_OFF = "cut-off"
    FRAGMENT = "fragment"
    QUESTION_MARK = "question-mark"
    NOT_ENCODED = "not-encoded"
    DOUBLE_ENCODED = "double-encoded"
    MISSING_PARAMETER = "missing-parameter"
    DUPLICATE_PARAMETER = "duplicate-parameter"
    PARAMETER_CASE = "parameter-case"
    PLUS_LOST = "plus-lost"
    MALFORMED_CREDENTIAL = "malformed-credential"
    MALFORMED_DATE = "malformed-date"
    SCOPE_DATE = "scope-date"
    EXPIRES_MALFORMED = "expires-malformed"
    EXPIRES_TOO_LONG = "expires-too-long"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    CLOCK_OFF = "clock-off"
    CREDENTIAL_ENDED = "credential-ended"
    TOKEN_MISSING = "token-missing"  # noqa: S105 - the name of a cause
    SIGNATURE_FORM = "signature-form"
    SIGNED_HEADERS = "signed-headers"
    HEADER_MISSING = "header-missing"
    HEADER_NOT_SIGNED = "header-not-signed"
    EMPTY_BODY_CHECKSUM = "empty-body-checksum"
    SDK_CHECKSUM = "sdk-checksum"
    TWO_MECHANISMS = "two-mechanisms"
    SIGV2_REGION = "sigv2-region"
    SIGNATURE_VERSION = "signature-version"
    DOT_SEGMENTS = "dot-segments"
    SECRET_AS_KEY = "secret-as-key"  # noqa: S105 - the name of a cause
    PRIVATE_HOST = "private-host"
    UNKNOWN_KEY = "unknown-key"
    METHOD = "method"
    HOST = "host"
    PORT = "port"
    ADDRESSING = "addressing"
    PATH_PREFIX = "path-prefix"
    REGION = "region"
    SERVICE = "service"
    CONTENT_TYPE = "content-type"
    HEADER_CHANGED = "header-changed"
    BODY_HASH = "body-hash"
    KEY_ENCODING = "key-encoding"
    QUERY_ENCODING = "query-encoding"
    EXTRA_PARAMETER = "extra-parameter"
    LIFETIME_CHANGED = "lifetime-changed"
    DATE_CHANGED = "date-changed"
    TOKEN_UNSIGNED = "token-unsigned"  # noqa: S105 - the name of a cause
    OTHER_KEY = "other-key"
    SECRET_WHITESPACE = "secret-whitespace"  # noqa: S105 - the name of a cause
    CHANGED_ON_THE_WAY = "changed-on-the-way"
    POLICY = "policy"
    POLICY_CONDITION = "policy-condition"
    REFUSED = "refused"


class CauseText(NamedTuple):
    """How a cause is told."""

    title: str
    advice: str


TEXTS: Final[Mapping[Cause, CauseText]] = {
    Cause.WHITESPACE: CauseText(
        "Blanks or line breaks got into the URL",
        "Copy the URL as one line, without blanks around it; send it as an attachment if a mail program breaks it.",
    ),
    Cause.WRAPPED: CauseText(
        "Quotes or brackets around the URL were copied along",
        "Leave out the quotes or brackets around the URL.",
    ),
    Cause.TRAILING_PUNCTUATION: CauseText(
        "A punctuation mark after the URL was taken for a part of it",
        "Leave out the mark; in a message, put the URL on a line of its own.",
    ),
    Cause.HTML_ESCAPED: CauseText(
        "The ampersands are escaped as in HTML (&amp;)",
        "Unescape the URL once before it is used, or copy it from the page as shown, not from its source.",
    ),
    Cause.JSON_ESCAPED: CauseText(
        "The ampersands are escaped as in JSON (\\u0026)",
        "Parse the JSON instead of cutting the URL out of its text.",
    ),
    Cause.BACKSLASHES: CauseText(
        "There are backslashes before characters of the URL",
        "A shell or editor put them there: paste the URL between single quotes, without backslashes.",
    ),
    Cause.QUOTED_PRINTABLE: CauseText(
        "The URL is in quoted-printable form, from the source of a mail (=3D)",
        "Copy the URL from the mail as it is shown, not from its source, or decode the mail first.",
    ),
    Cause.LINK_WRAPPER: CauseText(
        "A mail filter or chat program wrapped the URL in one of its own",
        "Use the URL inside; a filter that opens links may also spend a link with a limited number of uses.",
    ),
    Cause.SHELL_AMPERSAND: CauseText(
        "The shell ended the command at the first &, because the URL was not quoted",
        "Put the URL between single quotes.",
    ),
    Cause.CUT_OFF: CauseText(
        "The end of the URL is missing",
        "Copy the whole URL; a line of a terminal, a column of a database or a mail program may cut it.",
    ),
    Cause.FRAGMENT: CauseText(
        "There is a # in the URL, and nothing after it is ever sent",
        "Encode the # of the key as %23 before signing.",
    ),
    Cause.QUESTION_MARK: CauseText(
        "There is a ? too many in the URL, or one is missing",
        "Encode a ? in the key as %3F, and only there; add parameters with &, and before signing.",
    ),
    Cause.NOT_ENCODED: CauseText(
        "There are characters in the URL that must be percent-encoded",
        "Use the URL exactly as it was signed; do not decode it on the way.",
    ),
    Cause.DOUBLE_ENCODED: CauseText(
        "The URL was percent-encoded once more after it was signed (%25)",
        "Hand the URL on as it is: it needs no encodeURI, quote or escape.",
    ),
    Cause.MISSING_PARAMETER: CauseText(
        "Parameters of the signature are missing",
        "Use the whole URL. A program that keeps only the parameters it knows breaks it.",
    ),
    Cause.DUPLICATE_PARAMETER: CauseText(
        "A parameter of the signature stands there more than once",
        "Sign once; do not append the query of one URL to another.",
    ),
    Cause.PARAMETER_CASE: CauseText(
        "Names of parameters were changed to another case",
        "Names are case-sensitive: find what changes them (a proxy, CDN or router) and switch that off.",
    ),
    Cause.PLUS_LOST: CauseText(
        "A + turned into a space",
        "Decode a query once only, and encode + as %2B where base64 stands in a URL.",
    ),
    Cause.MALFORMED_CREDENTIAL: CauseText(
        "The credential is not KEY/yyyyMMdd/region/service/aws4_request",
        "Check what the signer was given as access key, region and service.",
    ),
    Cause.MALFORMED_DATE: CauseText(
        "X-Amz-Date is no date of the form yyyyMMddTHHmmssZ",
        "Write the date in UTC, without separators.",
    ),
    Cause.SCOPE_DATE: CauseText(
        "The day in the credential is not the day of X-Amz-Date",
        "Take both from one instant in UTC: around midnight, local time gives another day.",
    ),
    Cause.EXPIRES_MALFORMED: CauseText(
        "The time of expiry cannot be read",
        "SigV4 wants seconds from the signature on, SigV2 the second since 1970 at which it ends.",
    ),
    Cause.EXPIRES_TOO_LONG: CauseText(
        "The URL asks for more than seven days, which S3 refuses",
        "Sign for at most 604800 seconds, and make a new URL when it is over.",
    ),
    Cause.EXPIRED: CauseText("The URL has ended", "Sign a new one."),
    Cause.NOT_YET_VALID: CauseText(
        "The URL begins in the future",
        "Set the clock of the machine that signs, and check that it signs in UTC.",
    ),
    Cause.CLOCK_OFF: CauseText(
        "The signer's clock and the server's differ",
        "Let both machines keep time by NTP; 15 minutes are the most that S3 allows.",
    ),
    Cause.CREDENTIAL_ENDED: CauseText(
        "The temporary credentials behind the URL end before the URL does",
        "Sign with lasting credentials, or with a role whose session lasts longer.",
    ),
    Cause.TOKEN_MISSING: CauseText(
        "Temporary credentials signed it, and their session token is missing",
        "Give the signer the session token too (AWS_SESSION_TOKEN).",
    ),
    Cause.SIGNATURE_FORM: CauseText(
        "The signature has not the form of one",
        "SigV4 has 64 lower-case hexadecimal digits, SigV2 28 characters of base64: copy it whole.",
    ),
    Cause.SIGNED_HEADERS: CauseText(
        "The list of signed headers is not as S3 wants it",
        "List names in lower case, sorted, each once, joined with ';', and host among them.",
    ),
    Cause.HEADER_MISSING: CauseText(
        "A header that was signed is not sent",
        "Send each signed header with the value that was signed, or leave it out when signing.",
    ),
    Cause.HEADER_NOT_SIGNED: CauseText(
        "A header is sent that had to be signed",
        "Leave the header out of the request, or give it to the signer too.",
    ),
    Cause.EMPTY_BODY_CHECKSUM: CauseText(
        "The URL holds the checksum of an empty body, so no other body can be sent",
        "Make the SDK calculate no checksum when it presigns: requestChecksumCalculation 'WHEN_REQUIRED'.",
    ),
    Cause.SDK_CHECKSUM: CauseText(
        "The SDK signed a checksum, which the recipient has to send too",
        "Send the header with the signed value, or make the SDK calculate none: 'WHEN_REQUIRED'.",
    ),
    Cause.TWO_MECHANISMS: CauseText(
        "The request is signed twice: in the URL and in another way",
        "Send no Authorization header along with a presigned URL.",
    ),
    Cause.SIGV2_REGION: CauseText(
        "It is signed with SigV2, which this service does not take",
        "Sign with SigV4; in boto3: Config(signature_version='s3v4').",
    ),
    Cause.SIGNATURE_VERSION: CauseText(
        "The parameters are those of one signature version and the signature is of another",
        "Let one signer make the whole URL.",
    ),
    Cause.DOT_SEGMENTS: CauseText(
        "There is a . or .. segment in the path, which browsers and curl take out",
        "Use curl --path-as-is, or keys without such segments.",
    ),
    Cause.SECRET_AS_KEY: CauseText(
        "The secret key stands where the access key id belongs",
        "Swap the two, and replace this key now: its secret was in a URL.",
    ),
    Cause.PRIVATE_HOST: CauseText(
        "The URL leads to a name or address that only its own network knows",
        "Sign for the name by which the recipient reaches the server.",
    ),
    Cause.UNKNOWN_KEY: CauseText(
        "The server does not know the access key",
        "Check that the key belongs to this server, is active and was not deleted.",
    ),
    Cause.METHOD: CauseText(
        "It was signed for another method", "Use the method that was signed, or sign for the one used."
    ),
    Cause.HOST: CauseText(
        "It was signed for another host",
        "Sign for the host that the recipient uses, or let the proxy pass on the Host it received.",
    ),
    Cause.PORT: CauseText(
        "It was signed with another port in the host",
        "Sign for the port that the recipient uses; leave the default ports 80 and 443 out.",
    ),
    Cause.ADDRESSING: CauseText(
        "It was signed with the bucket in the other place (host or path)",
        "Use one style for signing and sending; most servers of one's own want the bucket in the path.",
    ),
    Cause.PATH_PREFIX: CauseText(
        "Something on the way put a prefix before the path, or took one off",
        "Sign for the path that the server receives, or tell the server of its public URL (--public-url).",
    ),
    Cause.REGION: CauseText(
        "It was signed for another region", "Give the signer the region of the server or bucket."
    ),
    Cause.SERVICE: CauseText(
        "It was signed for another service than s3", "Give the signer the service 's3'."
    ),
    Cause.CONTENT_TYPE: CauseText(
        "The Content-Type sent is not the one that was signed",
        "Send exactly the Content-Type that was signed: none if there was none.",
    ),
    Cause.HEADER_CHANGED: CauseText(
        "A signed header has another value than when it was signed",
        "Do not sign headers that a proxy or HTTP library changes, or send them unchanged.",
    ),
    Cause.BODY_HASH: CauseText(
        "The signature covers another hash of the body",
        "Presign with UNSIGNED-PAYLOAD, or send the x-amz-content-sha256 that was signed.",
    ),
    Cause.KEY_ENCODING: CauseText(
        "The path is not encoded as it was when signed",
        "Sign and send the same encoding: each byte of UTF-8 that is not A-Z a-z 0-9 - . _ ~ / as %XX, once.",
    ),
    Cause.QUERY_ENCODING: CauseText(
        "A value in the query is not encoded as it was when signed",
        "Hand the URL on as text; do not parse it and put it together again.",
    ),
    Cause.EXTRA_PARAMETER: CauseText(
        "A parameter was added after signing",
        "Every parameter is part of the signature: give it to the signer, or leave it out.",
    ),
    Cause.LIFETIME_CHANGED: CauseText(
        "The lifetime was changed after signing", "Only signing anew makes a URL last longer."
    ),
    Cause.DATE_CHANGED: CauseText(
        "The date that was signed is another one",
        "Take X-Amz-Date and the day of the credential from one instant in UTC.",
    ),
    Cause.TOKEN_UNSIGNED: CauseText(
        "The session token was added after signing", "Give the token to the signer: S3 wants it signed."
    ),
    Cause.OTHER_KEY: CauseText(
        "It was signed with the secret of another key",
        "Give the signer an access key id with its own secret.",
    ),
    Cause.SECRET_WHITESPACE: CauseText(
        "The signer's secret key is not quite the right one",
        "Set the secret anew, without blanks, line breaks or quotes around it.",
    ),
    Cause.CHANGED_ON_THE_WAY: CauseText(
        "The server saw another request than the one that was sent",
        "Look for what changes it on the way: a proxy, a CDN, an HTTP library.",
    ),
    Cause.POLICY: CauseText("The form's policy cannot be used", "Make the form anew."),
    Cause.POLICY_CONDITION: CauseText(
        "A field of the form does not fit its policy",
        "Send the fields that were signed and no others; the file comes last.",
    ),
    Cause.REFUSED: CauseText("The server refused it for another reason", "See the server's message."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or that its owner should know."""

    cause: Cause
    detail: str = ""
    """What it is in this case, as one sentence; may be empty."""
    is_note: bool = False
    """It need not be what breaks the request."""
    advice: str = ""
    """What to do, where the cause's own text would not do."""

    @property
    def title(self) -> str:
        return TEXTS[self.cause].title

    @property
    def what_to_do(self) -> str:
        return self.advice or TEXTS[self.cause].advice
