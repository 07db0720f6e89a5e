//! A secret never survives, whatever stands around it; ordinary text does.

use super::{mask, mask_known};

/// Texts in which `S3cretPw` is a secret, or part of one.
const LEAKS: &[&str] = &[
    // Connection strings, whole, cut, escaped, percent-encoded.
    "could not connect to postgres://ro:S3cretPw@db.example.org:5432/app?sslmode=require now",
    "postgresql+psycopg2://ro:S3cretPw@h/db",
    "POSTGRES://RO:S3cretPw@H/DB",
    "postgres://ro:S3cretPw",
    "url=postgres://ro:it's-S3cretPw@h/db",
    "{\"url\":\"postgres:\\/\\/ro:S3cretPw@h\\/db\"}",
    "GET /x?dsn=postgres%3A%2F%2Fro%3AS3cretPw%40h%2Fdb failed",
    "GET /x?dsn=postgres%253A%252F%252Fro%253AS3cretPw%2540h failed",
    "postgres%3A%2F%2Fro%3AS3cretPw",
    "_postgres://ro:S3cretPw@h/db",
    // Other URLs with user and password.
    "GET https://user:S3cretPw@api.example.org/x failed",
    "GET HTTPS://user:S3cretPw@api.example.org/x failed",
    "GET https://user:S3cretPw",
    "GET https://user:12S3cretPw",
    "https://:S3cretPw@api.example.org",
    "https://S3cretPw@api.example.org/1",
    "https://user:a/S3cretPw@api.example.org",
    "https://user:a@S3cretPw@api.example.org",
    "https%3A%2F%2Fuser%3AS3cretPw%40api.example.org",
    "https:\\/\\/user:S3cretPw@api.example.org",
    "x_https://user:S3cretPw@h/",
    "cannot resolve ro:S3cretPw@db.example.org:5432/app",
    // Credentials in headers.
    "Authorization: Bearer S3cretPw12345678",
    "Authorization: Bearer S3cretPw",
    "bearer%20S3cretPw12345678",
    "authorization: basic UzNjcmV0UHc6UzNjcmV0UHc= S3",
    "Basic UzNjcmV0UHc=",
    "Authorization: Digest username=\"u\", response=\"S3cretPw\"",
    "Authorization: ApiKey S3cretPw",
    "Proxy-Authorization: Custom S3cretPw",
    "Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=S3cretPw",
    "Cookie: a=b; sid=S3cretPw",
    "Set-Cookie: a=b; sid=S3cretPw; Path=/",
    "curl -H 'X-Api-Key: S3cretPw' https://h",
    "[('X-Api-Key', 'S3cretPw'), ('Accept', '*/*')]",
    // JSON, Python, YAML, XML, HTML.
    "{\"password\": \"S3cretPw with spaces\"}",
    "{\"password\":\"with \\\" a quote S3cretPw\"}",
    "{\"password\": \"with spaces S3cretPw",
    "{\"password\": \"with spaces S3cretPw\\",
    "{\\\"password\\\": \\\"S3cretPw with spaces\\\"}",
    "{\\\"password\\\": \\\"with \\\\\\\" a quote S3cretPw\\\"}",
    "{'password': 'S3cretPw with spaces'}",
    "{'password': b'S3cretPw'}",
    "{'password': u\"it's S3cretPw\"}",
    "password: 'it\\'s S3cretPw'",
    "{\n  \"password\":\n    \"S3cretPw\"\n}",
    "password:\n  S3cretPw",
    "password = \"\"\"S3cretPw\"\"\"",
    "environ['DB_PASSWORD'] = 'S3cretPw'",
    "params[password]=S3cretPw",
    "[{\"name\": \"DB_PASSWORD\", \"value\": \"S3cretPw\"}]",
    "<password>S3cretPw</password>",
    "<db:password type=\"text\">S3cretPw</db:password>",
    "&quot;password&quot;: &quot;S3cretPw with spaces&quot;",
    "password: 'it''s S3cretPw'",
    "password: |\n  S3cretPw",
    "password: >-\n    first line\n    S3cretPw\nuser: ro",
    "password= password: |\n  S3cretPw",
    "<password><![CDATA[a<S3cretPw]]></password>",
    "<token> password=a<S3cretPw",
    "&#34;password&#34;: &#34;a S3cretPw&#34;",
    "&#x27;password&#x27;: &#x27;a S3cretPw&#x27;",
    "&amp;quot;password&amp;quot;: &amp;quot;a S3cretPw&amp;quot;",
    "password &quot;password&quot;: &quot;S3cretPw&quot;",
    "Config { password: Some(\"a S3cretPw\") }",
    "[\"password\"]=>\n  string(8) \"S3cretPw\"",
    // Names and values, in every spelling.
    "PGPASSWORD='it'\\''s S3cretPw' psql",
    "PGPASSWORD='it'\"'\"'s S3cretPw' psql",
    "Driver=x;Pwd=\"a\"\"b S3cretPw\";Server=h",
    "Server=h;Pwd=a S3cretPw;Driver=x",
    "{Host:h Password:a@S3cretPw User:ro}",
    "password= DB_PASSWORD = 'S3cretPw'",
    "password=S3cretPw host=x",
    "password = 'S3cretPw'",
    "Password: S3cretPw",
    "PASSWORD=S3cretPw",
    "PassWord : S3cretPw",
    "password := S3cretPw",
    "password => S3cretPw",
    "password == S3cretPw",
    "password -> S3cretPw",
    "password%3DS3cretPw%26x%3D1",
    "password=a,S3cretPw",
    "password=a;S3cretPw",
    "password=a)S3cretPw",
    "password=a\"S3cretPw",
    "password=none-S3cretPw",
    "password=nullS3cretPw",
    "password=ro:x@S3cretPw",
    "password:\ntoken: S3cretPw",
    "password= 'token': 'S3cretPw'",
    "password= host=x token=S3cretPw",
    "PGPASSWORD=S3cretPw",
    "MYSQL_PWD=S3cretPw",
    "db_pass=S3cretPw",
    "dbPass=S3cretPw",
    "userPwd: S3cretPw",
    "pwd=S3cretPw;",
    "pw: S3cretPw",
    "passphrase=S3cretPw",
    "SUPABASE_SERVICE_ROLE_KEY=S3cretPw",
    "service role key: S3cretPw",
    "service_role=S3cretPw",
    "anon_key=S3cretPw",
    "api_key: S3cretPw, more",
    "API key: S3cretPw",
    "apikey=S3cretPw&x=1",
    "https://h/x?key=S3cretPw&y=1",
    "client_secret=S3cretPw",
    "secret access key: S3cretPw",
    "access_token=\"S3cretPw",
    "X-Api-Key: S3cretPw",
    "token: S3cretPw",
    "session_id=S3cretPw",
    // Commands.
    "psql --password S3cretPw -h x",
    "tool --api-key S3cretPw",
    "curl -u user:S3cretPw https://h",
    "curl --user user:S3cretPw https://h",
    "curl --user 'user:a S3cretPw' https://h",
    "curl -u user:a@S3cretPw https://h",
    "curl --proxy-user user:S3cretPw https://h",
    "alter role ro password 'S3cretPw with spaces'",
    "alter role ro with encrypted password 'S3cretPw'",
    "create user u identified by 'S3cretPw'",
    // Keys that can be told from their form.
    "sb_secret_S3cretPwS3cretPw",
    "sk_test_S3cretPwS3cretPw",
    "eyJhbGciOiJIUzI1NiJ9.S3cretPw.S3cretPw",
    "jwt_eyJhbGciOiJIUzI1NiJ9.S3cretPw.S3cretPw",
    "eyJhbGciOiJIUzI1NiJ9.S3cretPw",
    "Bearer eyJS3cretPwS3cretPw",
    "-----BEGIN RSA PRIVATE KEY-----\nS3cretPw\nS3cretPw\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nS3cretPw",
    // Split by what cannot be seen.
    "pass\u{0}word=S3cretPw",
    "pass\u{fffd}word=S3cretPw",
    "pass\u{200b}word=S3cretPw",
    "pass\u{ad}word=S3cretPw",
    "x\u{fffd}pwd=S3cretPw",
    "Bearer\u{fffd}S3cretPw12345678",
    "postgres:/\u{fffd}/ro:S3cretPw@h/db",
    "ey\u{fffd}JhbGciOiJIUzI1NiJ9.S3cretPw.S3cretPw",
    "eyJhbGciOi\u{fffd}JIUzI1NiJ9.S3cretPw.S3cretPw",
    "x\u{fffd}pwd=other pass\u{fffd}word=S3cretPw",
    "password: \"a\\\u{200b}\"S3cretPw\"",
];

/// What people must be able to read.
const ORDINARY: &[&str] = &[
    "404 Client Error: Not Found for url: https://x.retail.lightspeed.app/api/2.0/inventory",
    "HTTPSConnectionPool(host='x.example', port=443): Read timed out. (read timeout=30)",
    "insert or update on table \"sales\" violates foreign key constraint \"fk\"",
    "duplicate key value violates unique constraint: Key (id)=(5) already exists.",
    "password authentication failed for user \"postgres\"",
    "Basic authentication failed",
    "token expired",
    "the password is wrong",
    "see http://localhost:8080",
    "Failed to connect to http://localhost:8080.",
    "http://localhost:8080/x?page=2&size=10",
    "Tests passed: 12, bypassed: 3",
    "write to sync@example.org about it",
    "File \"/srv/sync.py\", line 3, in main: KeyError: 'sale_id'",
    "at 12:30:15 the server said: try again",
    "emoji 👩\u{200d}💻 and Größe stay",
    "HTTPSConnectionPool(host='x.retail.lightspeed.app', port=443): Max retries exceeded with url: /api/2.0/sales?after=123&page_size=500 (Caused by NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f3b2c>: Failed to establish a new connection: [Errno 111] Connection refused'))",
    "429 Client Error: Too Many Requests for url: https://x.retail.lightspeed.app/api/2.0/products?after=0; Retry-After: 60",
    "{\"code\":\"23505\",\"details\":\"Key (id)=(0a1b2c3d-0000-4000-8000-000000000001) already exists.\",\"hint\":null,\"message\":\"duplicate key value violates unique constraint \\\"lightspeed_sales_pkey\\\"\"}",
    "{'code': '42703', 'details': None, 'hint': None, 'message': 'column sync_state.last_version does not exist'}",
    "psycopg2.OperationalError: connection to server at \"db.example.org\" (203.0.113.7), port 5432 failed: FATAL:  remaining connection slots are reserved",
    "Traceback (most recent call last):\n  File \"/opt/sync/sync_sales.py\", line 214, in <module>\n    main(sys.argv[1:])\n  File \"/opt/sync/sync_sales.py\", line 180, in main\n    for page in pages(client, after=state.last_version):\nKeyError: 'version'",
    "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    "canceling statement due to statement timeout",
    "permission denied for table lightspeed_customers",
    "invalid input syntax for type numeric: \"12,50\"",
    "Skipped 3 of 1,204 rows: quantity is null; price_total='-0.00'; note: see row 17",
    "SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed: unable to get local issuer certificate (_ssl.c:1007)",
    "socket.gaierror: [Errno -2] Name or service not known: 'db.example.org'",
    "write EPIPE\n    at afterWriteDispatched (node:internal/stream_base_commons:161:15)\n    at Object.<anonymous> (/srv/sync/index.js:12:3)",
    "thread 'main' panicked at src/main.rs:10:5: called `Option::unwrap()` on a `None` value",
    "Could not read page 3 at 2026-11-22T19:22:00.123456+00:00; tried 5 times, waited 1:30:00",
    "The passenger list was bypassed; 12 keys, 3 cookies and no secrets were found (see www.example.org/faq#top)",
    "50% of 1,000 rows <null>, a -> b, x := y, C:\\sync\\log.txt, ~/sync.log, user@example.org",
    "Authentication failed: the service account has no access; ask basic support.",
    "",
];

#[test]
fn secrets_are_masked_in_every_form() {
    for text in LEAKS {
        let masked = mask(text);
        assert!(
            !masked.contains("S3cretPw") && !masked.contains("UzNj"),
            "{text} -> {masked}"
        );
        assert!(masked.contains("[masked"), "{text} -> {masked}");
    }
}

#[test]
fn ordinary_errors_are_left_alone() {
    for text in ORDINARY {
        assert_eq!(mask(text), *text);
    }
}

#[test]
fn what_stands_around_a_secret_stays_readable() {
    for (text, masked) in [
        (
            "login to postgres://ro:pw@h/db failed after 3 tries",
            "login to [masked connection string] failed after 3 tries",
        ),
        (
            "GET https://u:pw@api.example.org/x?page=2 gave 500",
            "GET https://[masked]@api.example.org/x?page=2 gave 500",
        ),
        (
            "{\"token\": \"abc\", \"message\": \"too many requests\"}",
            "{\"token\": [masked], \"message\": \"too many requests\"}",
        ),
        (
            "{\"token\":null,\"message\":\"denied\"}",
            "{\"token\":[masked],\"message\":\"denied\"}",
        ),
        (
            "password=abc host=db.example.org is unreachable",
            "password=[masked] host=db.example.org is unreachable",
        ),
        (
            "login failed for user sync with password hunter2pw, twice",
            "login failed for user sync with password [masked], twice",
        ),
        (
            "ERROR 1045 (28000): Access denied for user 'ro'@'localhost' (using password: YES)",
            "ERROR 1045 (28000): Access denied for user 'ro'@'localhost' (using password: [masked]",
        ),
        (
            "requests.get(url, auth=('sync@example.org', 'hunter2pw'))",
            "requests.get(url, auth=[masked])",
        ),
        (
            "X-API-Key abcd1234efgh5678 not accepted",
            "X-API-Key [masked] not accepted",
        ),
        (
            "refresh_token abcdef1234567890abcdef rejected",
            "refresh_token [masked] rejected",
        ),
        (
            "refresh_token rejected, access_token authentication required",
            "refresh_token rejected, access_token authentication required",
        ),
        (
            "secret: postgres://ro:pw@h/db is wrong",
            "secret: [masked connection string] is wrong",
        ),
    ] {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn masking_what_is_masked_changes_nothing() {
    for text in LEAKS.iter().chain(ORDINARY) {
        let once = mask(text);
        assert_eq!(mask(&once), once, "{text}");
    }
}

#[test]
fn known_secrets_are_masked_wherever_they_stand() {
    assert_eq!(
        mask_known("a p$x#y b", &["p$x#y".to_owned()]),
        "a [masked] b"
    );
    for (text, shown) in [
        ("said p%24x%23y, p%24X%23Y", "said [masked], p%24X%23Y"),
        ("said p$x#yz", "said [masked]"),
        ("said yzp$x#", "said [masked]p$x#"),
        ("the mask", "the [masked]"),
    ] {
        let known = ["p$x#y", "yz", "mask"].map(str::to_owned);
        assert_eq!(mask_known(text, &known), shown);
        assert_eq!(mask_known(shown, &known), shown);
    }
}

#[test]
fn no_value_swallows_the_name_of_another() {
    let shown = mask("-u \"quoted\":  password: 'G0G0ggg0' more");
    assert!(!shown.contains("G0G0ggg0"), "{shown}");
    let shown = mask(r#"password= {"user":"ro","password":"G0 G0ggg0 G0ggg0","host":"h"} more"#);
    assert!(!shown.contains("G0"), "{shown}");
    let shown = mask("token:\n Server=h;Pwd=G0 G0ggg0 G0ggg0;Driver=x ");
    assert!(!shown.contains("G0"), "{shown}");
    let shown = mask("token:\n Server=h;Pwd=G0G0ggg0 G0G0ggg0:G0G0ggg0;Driver=x ");
    assert!(!shown.contains("G0"), "{shown}");
    let shown = mask("password=kkk and many words token: G0G0ggg0;G0G0ggg0=G0G0ggg0 more");
    assert!(!shown.contains("G0"), "{shown}");
    for quote in ["&#39;", "&apos;", "&quot;", "&amp;quot;"] {
        let text =
            format!("{{{quote}password{quote}: {quote}a@b:c G0G0ggg0{quote}, {quote}a{quote}: 1");
        let shown = mask(&text);
        assert!(!shown.contains("G0"), "{shown}");
    }
    let shown = mask("{&#x27;password&#x27;: &#x27;it&#39;s G0G0ggg0&#x27;, &#x27;a&#x27;: 1");
    assert!(!shown.contains("G0"), "{shown}");
    assert_eq!(
        mask("Driver=x;Pwd=a b c;Server=h"),
        "Driver=x;Pwd=[masked];Server=h"
    );
}
