//! The page as nginx serves it.

use std::fs;

use super::{diagnosis, healthy, served, with_key};
use crate::sandbox::Sandbox;
use crate::tls;
use crate::web::Nginx;

const PASSWORD_ASKED: &str = "auth_basic \"syncmon\";";

fn served_with(changes: &[(&str, &str)]) -> (Sandbox, Nginx) {
    let world = with_key(healthy());
    let nginx = Nginx::serving_with(&world, changes);
    (world, nginx)
}

#[test]
fn a_page_that_needs_no_password_is_named() {
    let (world, nginx) = served_with(&[(PASSWORD_ASKED, "auth_basic off;")]);
    let seen = diagnosis(&world, &["--url", &nginx.url()]);
    seen.only(
        "served_page",
        &[
            "/, /status.json and /entities/customers.html can be read without a password",
            "auth_basic_user_file",
        ],
    );
    let half = "location /entities/ { auth_basic off; try_files $uri =404; }\n    location ~ /\\.|\\.gz$ {";
    let (world, nginx) = served_with(&[("location ~ /\\.|\\.gz$ {", half)]);
    let seen = diagnosis(&world, &["--url", &nginx.url()]);
    seen.only(
        "served_page",
        &["/entities/customers.html can be read without a password"],
    );
}

#[test]
fn missing_headers_are_named() {
    let (world, nginx) = served_with(&[
        (
            "add_header X-Content-Type-Options",
            "# add_header X-Content-Type-Options",
        ),
        (
            "add_header Cache-Control $syncmon_kept",
            "add_header Cache-Control \"max-age=3600\"",
        ),
    ]);
    let seen = diagnosis(&world, &["--url", &nginx.url()]);
    seen.only(
        "served_page",
        &[
            "the headers X-Content-Type-Options: nosniff, Cache-Control: no-cache are missing",
            "deploy/nginx/syncmon.conf",
        ],
    );
}

#[test]
fn without_the_key_the_door_is_looked_at_and_what_is_behind_it_is_not() {
    let world = healthy();
    let nginx = Nginx::serving(&world);
    let seen = diagnosis(&world, &["--url", &nginx.url()]);
    assert_eq!(seen.problems(), [""; 0], "{}", seen.text);
    assert!(
        seen.findings("served_page")
            .contains("set SYNCMON_DOCTOR_USER"),
        "{}",
        seen.text
    );
}

#[test]
fn a_wrong_password_and_a_closed_site_are_told_apart() {
    let (world, nginx) = served();
    let world = world.env("SYNCMON_DOCTOR_PASSWORD", "S3cret");
    diagnosis(&world, &["--url", &nginx.url()])
        .only("served_page", &["user and password are refused"]);
    let world = with_key(world);
    fs::remove_file(world.path("site/entities/customers.html")).unwrap();
    diagnosis(&world, &["--url", &nginx.url()]).only(
        "served_page",
        &["/entities/customers.html is not found (404)"],
    );
}

#[test]
fn another_build_than_the_one_in_the_directory_is_named() {
    let (world, nginx) = served();
    fs::create_dir(world.path("elsewhere")).unwrap();
    let ended = world.run(&[
        "build",
        "-q",
        "--out",
        "elsewhere/site",
        "--state-dir",
        "state",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let seen = diagnosis(&world, &["--out", "elsewhere/site", "--url", &nginx.url()]);
    seen.only(
        "served_page",
        &[
            "the page served was built at",
            "let root of the web server be the directory of --out",
        ],
    );
}

#[test]
fn https_is_held_to_its_certificate_and_its_header() {
    let world = with_key(healthy());
    let tls = format!(
        "ssl_certificate {};\n    ssl_certificate_key {};\n    server_name localhost;",
        tls::certificate("server.crt").display(),
        tls::certificate("server.key").display()
    );
    let port = crate::cluster::free_port();
    let listen = format!("listen 127.0.0.1:{port} ssl;\n    {tls}");
    let strict = [("server_name localhost;", listen.as_str())];
    let bare = [
        strict[0],
        (
            "add_header Strict-Transport-Security",
            "# add_header Strict-Transport-Security",
        ),
    ];
    let url = format!("https://localhost:{port}/");
    let nginx = Nginx::serving_with(&world, &bare);
    diagnosis(&world, &["--url", &url]).only(
        "served_page",
        &["the certificate is not trusted", "SSL_CERT_FILE"],
    );
    let world = world.env(
        "SSL_CERT_FILE",
        &tls::certificate("ours.crt").display().to_string(),
    );
    diagnosis(&world, &["--url", &url]).only(
        "served_page",
        &["the header Strict-Transport-Security is missing"],
    );
    drop(nginx);
    let _nginx = Nginx::serving_with(&world, &strict);
    let seen = diagnosis(&world, &["--url", &url]);
    assert_eq!(seen.state("served_page"), "ok", "{}", seen.text);
}

#[test]
fn a_page_of_somebody_else_is_not_taken_for_ours() {
    let (world, nginx) = served();
    fs::write(
        world.path("site/index.html"),
        "<title>Welcome to nginx!</title>",
    )
    .unwrap();
    diagnosis(&world, &["--url", &nginx.url()]).only("served_page", &["no page of syncmon's"]);
}
