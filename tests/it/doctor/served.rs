//! The page as nginx serves it.

use std::fs;

use super::{built, diagnosis, healthy, served, with_key};
use crate::golden::Told;
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
    let words = "/, /status.json and /entities/customers.html can be read without a password … auth_basic_user_file";
    diagnosis(&world, &["--url", &nginx.url()]).only("served_page", words);
    let half = "location /entities/ { auth_basic off; try_files $uri =404; }\n    location ~ /\\.|\\.gz$ {";
    let nginx = Nginx::serving_with(&world, &[("location ~ /\\.|\\.gz$ {", half)]);
    let words = "/entities/customers.html can be read without a password";
    diagnosis(&world, &["--url", &nginx.url()]).only("served_page", words);
}

#[test]
fn missing_headers_are_named() {
    let kept = "add_header Cache-Control $syncmon_kept";
    let (world, nginx) = served_with(&[
        ("add_header X-Content-Type-Options", "# "),
        (kept, "add_header Cache-Control \"max-age=3600\""),
    ]);
    let words = "the headers X-Content-Type-Options: nosniff, Cache-Control: no-cache are missing … \
                 deploy/nginx/syncmon.conf";
    diagnosis(&world, &["--url", &nginx.url()]).only("served_page", words);
}

#[test]
fn without_the_key_the_door_is_looked_at_and_what_is_behind_it_is_not() {
    let world = healthy();
    let nginx = Nginx::serving(&world);
    let seen = diagnosis(&world, &["--url", &nginx.url()]);
    seen.holds();
    seen.findings("served_page").has("set SYNCMON_DOCTOR_USER");
}

#[test]
fn a_wrong_password_a_closed_site_and_another_site_are_told_apart() {
    let (world, nginx) = served();
    let url = nginx.url();
    let served_page = |world: &Sandbox, words: &str| {
        diagnosis(world, &["--url", &url]).only("served_page", words);
    };
    let world = world.env("SYNCMON_DOCTOR_PASSWORD", "S3cret");
    served_page(&world, "user and password are refused");
    let world = with_key(world);
    fs::remove_file(world.path("site/entities/customers.html")).unwrap();
    served_page(&world, "/entities/customers.html is not found (404)");
    let world = built(world);
    let world = world.file("site/index.html", "<title>Welcome to nginx!</title>");
    served_page(&world, "no page of syncmon's");
}

#[test]
fn another_build_than_the_one_in_the_directory_is_named() {
    let (world, nginx) = served();
    fs::create_dir(world.path("elsewhere")).unwrap();
    let build = "build -q --out elsewhere/site --state-dir state";
    world.succeeds(&build.split(' ').collect::<Vec<_>>());
    let arguments = ["--out", "elsewhere/site", "--url", &nginx.url()];
    let words =
        "the page served was built at … let root of the web server be the directory of --out";
    diagnosis(&world, &arguments).only("served_page", words);
}

#[test]
fn https_is_held_to_its_certificate_and_its_header() {
    let world = with_key(healthy());
    let file = |name: &str| tls::certificate(name).display().to_string();
    let port = crate::cluster::free_port();
    let listen = format!(
        "listen 127.0.0.1:{port} ssl; ssl_certificate {}; ssl_certificate_key {}; server_name localhost;",
        file("server.crt"),
        file("server.key")
    );
    let strict = ("server_name localhost;", listen.as_str());
    let loose = ("add_header Strict-Transport-Security", "# ");
    let url = format!("https://localhost:{port}/");
    let nginx = Nginx::serving_with(&world, &[strict, loose]);
    let words = "the certificate is not trusted … SSL_CERT_FILE";
    diagnosis(&world, &["--url", &url]).only("served_page", words);
    let world = world.env("SSL_CERT_FILE", &file("ours.crt"));
    let words = "the header Strict-Transport-Security is missing";
    diagnosis(&world, &["--url", &url]).only("served_page", words);
    drop(nginx);
    let _nginx = Nginx::serving_with(&world, &[strict]);
    let seen = diagnosis(&world, &["--url", &url]);
    assert_eq!(seen.state("served_page"), "ok", "{}", seen.text);
}
