//! Error texts as the sync scripts and their libraries really write them.

use crate::health::Cause;

const RECOGNISED: &[(&str, Cause)] = &[
    (
        "404 Client Error: Not Found for url: https://x.example.org/api/2.0/inventory",
        Cause::RouteNotFound,
    ),
    ("{\"error\": \"route not found\"}", Cause::RouteNotFound),
    ("HTTP 404", Cause::RouteNotFound),
    ("HTTP/1.1 404 Not Found", Cause::RouteNotFound),
    ("status code: 404", Cause::RouteNotFound),
    (
        "401 Client Error: Unauthorized (token refused)",
        Cause::TokenRefused,
    ),
    ("API error: status=403", Cause::TokenRefused),
    ("invalid_grant: refresh failed", Cause::TokenRefused),
    ("The access token has expired", Cause::TokenRefused),
    (
        "password authentication failed for user \"sync\"",
        Cause::TokenRefused,
    ),
    (
        "429 Client Error: Too Many Requests (rate limit)",
        Cause::RateLimited,
    ),
    ("Rate limit exceeded, retry after 60", Cause::RateLimited),
    (
        "insert or update on table \"lightspeed_sales\" violates foreign key constraint",
        Cause::ForeignKey,
    ),
    (
        "{'code': '23503', 'message': 'Key is not present in table'}",
        Cause::ForeignKey,
    ),
    (
        "HTTPSConnectionPool: Read timed out. (read timeout=30)",
        Cause::Timeout,
    ),
    (
        "canceling statement due to statement timeout",
        Cause::Timeout,
    ),
    ("TimeoutError", Cause::Timeout),
    ("connect ETIMEDOUT 203.0.113.7:443", Cause::Timeout),
    ("[Errno 111] Connection refused", Cause::Network),
    (
        "socket.gaierror: [Errno -2] Name or service not known",
        Cause::Network,
    ),
    (
        "Max retries exceeded with url: /api (Caused by NewConnectionError)",
        Cause::Network,
    ),
    (
        "ConnectionResetError: [Errno 104] Connection reset by peer",
        Cause::Network,
    ),
    ("getaddrinfo ENOTFOUND db.example.org", Cause::Network),
    (
        "OSError: [Errno 28] No space left on device",
        Cause::DiskFull,
    ),
    (
        "could not extend file \"base/1\": No space left on device",
        Cause::DiskFull,
    ),
    ("database or disk is full", Cause::DiskFull),
    (
        "{\"code\":\"PGRST301\",\"message\":\"JWT expired\"}",
        Cause::TokenRefused,
    ),
    ("Lightspeed returned 401", Cause::TokenRefused),
    ("the server responded with 403.", Cause::TokenRefused),
    ("<Response [429]>", Cause::RateLimited),
    ("request failed: 404 Not Found", Cause::RouteNotFound),
    ("Cloudflare error code: 1015", Cause::RateLimited),
    ("{'error': 'rate_limit_exceeded'}", Cause::RateLimited),
    ("504 Gateway Time-out", Cause::Timeout),
    (
        "Traceback (most recent call last):\n  File \"sync.py\", line 3, in fetch\n    \
         requests.get(url, timeout=30)\nrequests.exceptions.HTTPError: 401 Client Error: Unauthorized",
        Cause::TokenRefused,
    ),
    // The first thing that is wrong tells most.
    (
        "Max retries exceeded (Caused by ReadTimeoutError(\"Read timed out.\"))",
        Cause::Timeout,
    ),
    (
        "HTTPSConnectionPool: Max retries exceeded (Caused by ResponseError('too many 429 error responses'))",
        Cause::RateLimited,
    ),
];

#[test]
fn common_causes_are_recognised() {
    for (error, cause) in RECOGNISED {
        assert_eq!(Cause::of(error), Some(*cause), "{error}");
    }
}

#[test]
fn what_is_not_recognised_is_not_guessed_at() {
    for error in [
        "",
        "boom",
        "Traceback (most recent call last):\n  File \"sync.py\", line 3, in fetch\n    \
         requests.get(url, timeout=30)\nrequests.exceptions.HTTPError: 500 Server Error",
        "Traceback (most recent call last):\n  File \"sync.py\", line 9, in main\n    \
         except ConnectionError as error:\nKeyError: 'id'",
        "Max retries exceeded with url: /api (Caused by ResponseError('too many 502 error responses'))",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        "get() got an unexpected keyword argument 'timeout'",
        "KeyError: 'rate_limit_remaining'",
        "relation \"public.rate_limits\" does not exist",
        "column \"foreign_key_id\" of relation \"x\" does not exist",
        "KeyError: 'invalid_token_count'",
        "Validation error: 403 rows rejected",
        "response 401 rows",
        "product code 404 not found",
        "Item 404 not found",
        "Error 404 products were skipped",
        "KeyError: 'version'",
        "processed 404 of 429 rows, 401 left",
        "invoice 404 has no total",
        "file not found: token.txt",
        "duplicate key value violates unique constraint \"lightspeed_sales_pkey\"",
        "invalid input syntax for type numeric: \"12,50\"",
        "the token was counted twice",
        "column sync_state.last_version does not exist",
    ] {
        assert_eq!(Cause::of(error), None, "{error}");
    }
}
