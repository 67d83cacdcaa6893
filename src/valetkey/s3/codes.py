"""Every error code that this server answers with, its HTTP status, and the text that S3 sends with it.

Source: Amazon S3 API Reference, "Error responses". Clients match on these texts, so they are Amazon's to the
letter, missing full stops included.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """An S3 error code. `wire` is its name in the XML, `status` the HTTP status, `message` the usual text."""

    ACCESS_CONTROL_LIST_NOT_SUPPORTED = (
        "AccessControlListNotSupported",
        400,
        "The bucket does not allow ACLs",
    )
    ACCESS_DENIED = ("AccessDenied", 403, "Access Denied")
    ACCESS_FORBIDDEN = (
        "AccessForbidden",
        403,
        # The misspelling is Amazon's.
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
        "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not "
        "whitelisted by the resource's CORS spec.",
    )
    ADDRESS_NOT_ALLOWED = (
        "AddressNotAllowed",
        403,
        "The link does not hold for the address that you come from.",
    )
    AUTHORIZATION_HEADER_MALFORMED = (
        "AuthorizationHeaderMalformed",
        400,
        "The authorization header is malformed.",
    )
    AUTHORIZATION_QUERY_PARAMETERS_ERROR = (
        "AuthorizationQueryParametersError",
        400,
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    )
    BAD_DIGEST = ("BadDigest", 400, "The Content-MD5 you specified did not match what we received.")
    BAD_REQUEST = ("BadRequest", 400, "An error occurred when parsing the HTTP request.")
    BUCKET_ALREADY_EXISTS = (
        "BucketAlreadyExists",
        409,
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        "Please select a different name and try again.",
    )
    BUCKET_ALREADY_OWNED_BY_YOU = (
        "BucketAlreadyOwnedByYou",
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
    )
    BUCKET_NOT_EMPTY = ("BucketNotEmpty", 409, "The bucket you tried to delete is not empty")
    CONTENT_TYPE_NOT_ALLOWED = (
        "ContentTypeNotAllowed",
        403,
        "The link does not allow uploads of this Content-Type.",
    )
    CONDITIONAL_REQUEST_CONFLICT = (
        "ConditionalRequestConflict",
        409,
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
    )
    ENTITY_TOO_LARGE = (
        "EntityTooLarge",
        400,
        "Your proposed upload exceeds the maximum allowed size",
    )
    ENTITY_TOO_SMALL = (
        "EntityTooSmall",
        400,
        "Your proposed upload is smaller than the minimum allowed size",
    )
    EXPIRED_TOKEN = ("ExpiredToken", 400, "The provided token has expired.")
    ILLEGAL_LOCATION_CONSTRAINT = (
        "IllegalLocationConstraintException",
        400,
        "The unspecified location constraint is incompatible for the region specific endpoint this request "
        "was sent to.",
    )
    ILLEGAL_VERSIONING_CONFIGURATION = (
        "IllegalVersioningConfigurationException",
        400,
        "The Versioning element must be specified",
    )
    INCOMPLETE_BODY = (
        "IncompleteBody",
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
    INSUFFICIENT_STORAGE = (
        # Not Amazon's, whose disks are never full. The name is that of HTTP's status 507.
        "InsufficientStorage",
        507,
        "There is not enough room left to store what you sent. What is stored can still be read and deleted.",
    )
    INTERNAL_ERROR = ("InternalError", 500, "We encountered an internal error. Please try again.")
    INVALID_ACCESS_KEY_ID = (
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
    )
    INVALID_ARGUMENT = ("InvalidArgument", 400, "Invalid Argument")
    INVALID_BUCKET_ACL_WITH_OBJECT_OWNERSHIP = (
        "InvalidBucketAclWithObjectOwnership",
        400,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    )
    INVALID_BUCKET_NAME = ("InvalidBucketName", 400, "The specified bucket is not valid.")
    INVALID_BUCKET_STATE = (
        "InvalidBucketState",
        409,
        "The request is not valid with the current state of the bucket.",
    )
    INVALID_DIGEST = ("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
    INVALID_ENCRYPTION_ALGORITHM_ERROR = (
        "InvalidEncryptionAlgorithmError",
        400,
        "The Encryption request you specified is not valid. Supported value: AES256.",
    )
    INVALID_PART = (
        "InvalidPart",
        400,
        # The two spaces are Amazon's.
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
        "specified entity tag may not match the part's entity tag.",
    )
    INVALID_PART_NUMBER = ("InvalidPartNumber", 416, "The requested partnumber is not satisfiable")
    INVALID_PART_ORDER = (
        "InvalidPartOrder",
        400,
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    )
    INVALID_POLICY_DOCUMENT = (
        "InvalidPolicyDocument",
        400,
        "The content of the form does not meet the conditions specified in the policy document.",
    )
    INVALID_RANGE = ("InvalidRange", 416, "The requested range is not satisfiable")
    INVALID_REDIRECT_LOCATION = (
        "InvalidRedirectLocation",
        400,
        "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    )
    INVALID_REQUEST = ("InvalidRequest", 400, "Invalid Request")
    INVALID_RETENTION_PERIOD = (
        "InvalidRetentionPeriod",
        400,
        "Default retention period must be a positive integer value.",
    )
    INVALID_STORAGE_CLASS = (
        "InvalidStorageClass",
        400,
        "The storage class you specified is not valid",
    )
    INVALID_TARGET_BUCKET_FOR_LOGGING = (
        "InvalidTargetBucketForLogging",
        400,
        "The target bucket for logging does not exist, is not owned by you, or does not have the appropriate grants "
        "for the log-delivery group.",
    )
    INVALID_TAG = ("InvalidTag", 400, "The tag provided was not a valid tag.")
    INVALID_TOKEN = (
        "InvalidToken",
        400,
        "The provided token is malformed or otherwise invalid.",
    )
    INVALID_URI = ("InvalidURI", 400, "Couldn't parse the specified URI.")
    KEY_NOT_ALLOWED = ("KeyNotAllowed", 403, "The link does not reach this key.")
    KEY_TOO_LONG_ERROR = ("KeyTooLongError", 400, "Your key is too long")
    LINK_BYTES_USED_UP = ("LinkBytesUsedUp", 403, "The link has not as many bytes left.")
    LINK_EXPIRED = ("LinkExpired", 403, "The link has ended.")
    LINK_ISSUER_INACTIVE = ("LinkIssuerInactive", 403, "Whoever issued the link is not active any more.")
    LINK_NOT_YET_VALID = ("LinkNotYetValid", 403, "The link does not hold yet.")
    LINK_PASSWORD_REQUIRED = (
        "LinkPasswordRequired",
        403,
        "The link takes a password in the header X-Valetkey-Password, which is missing or wrong.",
    )
    LINK_PAUSED = ("LinkPaused", 403, "The link is paused.")
    LINK_REVOKED = ("LinkRevoked", 403, "The link was taken back.")
    LINK_USED_UP = ("LinkUsedUp", 403, "The link has no uses left.")
    LINK_VERSION_REPLACED = (
        "LinkVersionReplaced",
        403,
        "The link was made for what the object has been before.",
    )
    MALFORMED_ACL_ERROR = (
        "MalformedACLError",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    MALFORMED_POST_REQUEST = (
        "MalformedPOSTRequest",
        400,
        "The body of your POST request is not well-formed multipart/form-data.",
    )
    MALFORMED_TRAILER_ERROR = (
        "MalformedTrailerError",
        400,
        "The request contained trailing data that was not well-formed or did not conform to our published "
        "schema.",
    )
    MALFORMED_XML = (
        "MalformedXML",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    MAX_POST_PRE_DATA_LENGTH_EXCEEDED = (
        "MaxPostPreDataLengthExceeded",
        400,
        # The misspelling is Amazon's.
        "Your POST request fields preceeding the upload file was too large.",
    )
    METADATA_TOO_LARGE = (
        "MetadataTooLarge",
        400,
        "Your metadata headers exceed the maximum allowed metadata size",
    )
    MALFORMED_POLICY = ("MalformedPolicy", 400, "Policy has invalid resource")
    METHOD_NOT_ALLOWED = (
        "MethodNotAllowed",
        405,
        "The specified method is not allowed against this resource.",
    )
    MISSING_CONTENT_LENGTH = (
        "MissingContentLength",
        411,
        "You must provide the Content-Length HTTP header.",
    )
    MISSING_REQUEST_BODY_ERROR = ("MissingRequestBodyError", 400, "Request Body is empty")
    MISSING_SECURITY_HEADER = (
        "MissingSecurityHeader",
        400,
        "Your request was missing a required header",
    )
    NO_SUCH_BUCKET = ("NoSuchBucket", 404, "The specified bucket does not exist")
    NO_SUCH_BUCKET_POLICY = ("NoSuchBucketPolicy", 404, "The bucket policy does not exist")
    NO_SUCH_CONFIGURATION = ("NoSuchConfiguration", 404, "The specified configuration does not exist.")
    NO_SUCH_CORS_CONFIGURATION = ("NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")
    NO_SUCH_KEY = ("NoSuchKey", 404, "The specified key does not exist.")
    NO_SUCH_LIFECYCLE_CONFIGURATION = (
        "NoSuchLifecycleConfiguration",
        404,
        "The lifecycle configuration does not exist",
    )
    NO_SUCH_LINK = ("NoSuchLink", 404, "There is no link at this address.")
    NO_SUCH_OBJECT_LOCK_CONFIGURATION = (
        "NoSuchObjectLockConfiguration",
        404,
        "The specified object does not have a ObjectLock configuration",
    )
    NO_SUCH_PUBLIC_ACCESS_BLOCK_CONFIGURATION = (
        "NoSuchPublicAccessBlockConfiguration",
        404,
        "The public access block configuration was not found",
    )
    NO_SUCH_TAG_SET = ("NoSuchTagSet", 404, "The TagSet does not exist")
    NO_SUCH_UPLOAD = (
        "NoSuchUpload",
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed.",
    )
    NO_SUCH_VERSION = ("NoSuchVersion", 404, "The specified version does not exist.")
    NOT_IMPLEMENTED = (
        "NotImplemented",
        501,
        "A header you provided implies functionality that is not implemented",
    )
    NO_SUCH_WEBSITE_CONFIGURATION = (
        "NoSuchWebsiteConfiguration",
        404,
        "The specified bucket does not have a website configuration",
    )
    OBJECT_LOCK_CONFIGURATION_NOT_FOUND_ERROR = (
        "ObjectLockConfigurationNotFoundError",
        404,
        "Object Lock configuration does not exist for this bucket",
    )
    OPERATION_NOT_ALLOWED = ("OperationNotAllowed", 403, "The link does not allow this operation.")
    OWNERSHIP_CONTROLS_NOT_FOUND_ERROR = (
        "OwnershipControlsNotFoundError",
        404,
        "The bucket ownership controls were not found",
    )
    PRECONDITION_FAILED = (
        "PreconditionFailed",
        412,
        "At least one of the pre-conditions you specified did not hold",
    )
    REPLICATION_CONFIGURATION_NOT_FOUND_ERROR = (
        "ReplicationConfigurationNotFoundError",
        404,
        "The replication configuration was not found",
    )
    REQUEST_HEADER_SECTION_TOO_LARGE = (
        "RequestHeaderSectionTooLarge",
        400,
        "Your request header section exceeds the maximum allowed size.",
    )
    REQUEST_TIMEOUT = (
        "RequestTimeout",
        400,
        "Your socket connection to the server was not read from or written to within the timeout period. "
        "Idle connections will be closed.",
    )
    REQUEST_TIME_TOO_SKEWED = (
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    )
    SERVER_SIDE_ENCRYPTION_CONFIGURATION_NOT_FOUND_ERROR = (
        "ServerSideEncryptionConfigurationNotFoundError",
        404,
        "The server side encryption configuration was not found",
    )
    SERVICE_UNAVAILABLE = ("ServiceUnavailable", 503, "Service is unable to handle request.")
    SHORT_ADDRESS_PAUSED = ("ShortAddressPaused", 403, "This address is paused.")
    SIGNATURE_DOES_NOT_MATCH = (
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your key and "
        "signing method.",
    )
    SLOW_DOWN = ("SlowDown", 503, "Please reduce your request rate.")
    UNEXPECTED_CONTENT = ("UnexpectedContent", 400, "This request does not support content")
    UNRESOLVABLE_GRANT_BY_EMAIL_ADDRESS = (
        "UnresolvableGrantByEmailAddress",
        400,
        "The email address you provided does not match any account on record.",
    )
    USER_KEY_MUST_BE_SPECIFIED = ("UserKeyMustBeSpecified", 400, "User key must be specified.")
    X_AMZ_CONTENT_SHA256_MISMATCH = (
        "XAmzContentSHA256Mismatch",
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )

    wire: str
    status: int
    message: str

    def __init__(self, wire: str, status: int, message: str) -> None:
        self.wire = wire
        self.status = status
        self.message = message
