//! Guessing the password, by the thousand, while somebody reads who knows it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::campaign::Campaign;
use crate::client::Client;
use crate::nginx::world;
use crate::sandbox::Sandbox;
use crate::shipped::Shipped;
use crate::web::Nginx;

/// What `deploy/nginx/syncmon.conf` lets through: so many at once, and so many a second.
const AT_ONCE: f64 = 40.0;
const A_SECOND: f64 = 5.0;

/// Strangers, each with an address of its own.
const STRANGERS: u8 = 8;

/// What a look takes the first time.
const LOOK: [&str; 4] = ["/", "syncmon.css", "syncmon.js", "/status.json"];

/// Between two guesses of a stranger: what strangers need to work out theirs, they do not take from the server.
const PAUSE: Duration = Duration::from_millis(10);

const LONGEST_WAIT: Duration = Duration::from_millis(200);

#[test]
fn ten_thousand_guesses_keep_nobody_from_reading_who_has_the_password() {
    let campaign = Campaign::named("guessing", "by 8 addresses");
    for _ in campaign.steps(1, 1) {
        guesses_are_refused(&campaign);
    }
}

fn guesses_are_refused(campaign: &Campaign) {
    let world = published();
    let nginx = Nginx::that_counts_guesses(&world);
    let looks = campaign.size(15, 60);
    let (over, guesses) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let (mut waits, hashed) = std::thread::scope(|scope| {
        let strangers: Vec<_> = (0..STRANGERS)
            .map(|stranger| {
                let (nginx, over, guesses) = (&nginx, &over, &guesses);
                scope.spawn(move || guess_on(nginx, stranger, over, guesses))
            })
            .collect();
        let waits = read_on(&world, &nginx, looks, || {
            guesses.load(Ordering::SeqCst) >= 10_000
        });
        over.store(true, Ordering::SeqCst);
        let hashed: usize = strangers
            .into_iter()
            .map(|stranger| stranger.join().unwrap())
            .sum();
        (waits, hashed)
    });
    let (took, guesses) = (began.elapsed(), guesses.into_inner());
    waits.sort();
    let p95 = waits[waits.len() * 95 / 100];
    assert!(p95 < LONGEST_WAIT, "{p95:?}");
    assert!(guesses >= 10_000, "only {guesses}");
    logs_stay_small(&nginx, guesses, waits.len());
    campaign.ends(&format!(
        "{guesses} guesses in {} s, of which {hashed} got as far as the hash; the \
         reader's {} requests: median {} ms, 95th percentile {} ms, slowest {} ms, 0 refused",
        took.as_secs(),
        waits.len(),
        waits[waits.len() / 2].as_millis(),
        p95.as_millis(),
        waits.last().unwrap().as_millis(),
    ));
}

/// A page a second, with all that belongs to it, until `looks` were taken and it is `enough`.
fn read_on(
    world: &Sandbox,
    nginx: &Nginx,
    looks: usize,
    enough: impl Fn() -> bool,
) -> Vec<Duration> {
    let mut reader = Client::new(nginx.port, true);
    let mut waits = Vec::new();
    let mut look = 0;
    while look < looks || !enough() {
        for name in LOOK {
            let path = if name.starts_with('/') {
                name.to_owned()
            } else {
                format!("/{}", world.asset(name))
            };
            let asked = Instant::now();
            let answer = reader.get(&path);
            waits.push(asked.elapsed());
            assert_eq!(answer.status, 200, "look {look}: {path}");
        }
        look += 1;
        std::thread::sleep(Duration::from_secs(1));
    }
    waits
}

/// Another password each time. Returns how many were looked at rather than refused.
fn guess_on(nginx: &Nginx, stranger: u8, over: &AtomicBool, guesses: &AtomicUsize) -> usize {
    let address = Ipv4Addr::new(127, 0, 1, stranger);
    let (began, mut hashed, mut number) = (Instant::now(), 0, 0);
    while !over.load(Ordering::SeqCst) {
        let mut client = Client::on(connected(address, nginx.port));
        // nginx ends a connection after a thousand requests.
        for _ in 0..500 {
            number += 1;
            let answer = client.get_with("/", &guess(number));
            guesses.fetch_add(1, Ordering::SeqCst);
            match answer.status {
                401 => hashed += 1,
                429 => assert_eq!(answer.header("www-authenticate"), None),
                status => panic!("{status}"),
            }
            std::thread::sleep(PAUSE);
            if over.load(Ordering::SeqCst) {
                break;
            }
        }
    }
    let allowed = AT_ONCE + A_SECOND * began.elapsed().as_secs_f64() + 1.0;
    assert!(
        f64::from(hashed) <= allowed,
        "{hashed} hashes from {address}, {allowed} allowed"
    );
    usize::try_from(hashed).unwrap()
}

fn guess(number: usize) -> String {
    use base64::Engine;
    let guess = base64::prelude::BASE64_STANDARD.encode(format!("cfo:password{number}"));
    format!("Basic {guess}")
}

/// A connection from an address of this machine's own network, 127.0.0.0/8.
fn connected(from: Ipv4Addr, port: u16) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrV4::new(from, 0)).unwrap();
    connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).unwrap();
    TcpStream::from(socket)
}

/// What was refused is logged once in a hundred; what was shown, always.
fn logs_stay_small(nginx: &Nginx, guesses: usize, shown: usize) {
    let log = fs::read_to_string(nginx.passwords().with_file_name("syncmon.access.log")).unwrap();
    let of = |status: &str| {
        log.lines()
            .filter(|line| line.contains(&format!("\" {status} ")))
            .count()
    };
    assert_eq!(of("200"), shown);
    let refused = of("401") + of("429");
    assert!(
        refused > guesses / 300 && refused < guesses / 50,
        "{refused} of {guesses}"
    );
    assert_eq!(log.lines().count(), shown + refused);
    let errors = nginx.errors();
    assert!(errors.len() < 1000, "{errors}");
}

#[test]
fn requests_without_a_password_count_for_nothing() {
    let world = published();
    let nginx = Nginx::that_counts_guesses(&world);
    for _ in 0..300 {
        assert_eq!(nginx.request("GET", "/", &[]).status, 401);
    }
    for _ in 0..40 {
        assert_eq!(nginx.get("/").status, 200);
    }
}

/// The reader and somebody who guesses at her own address cannot be told apart: it is said, not hidden.
#[test]
fn who_guesses_from_the_readers_own_network_uses_up_what_both_have() {
    let world = published();
    let nginx = Nginx::that_counts_guesses(&world);
    let wrong = ("Authorization", "Basic Y2ZvOndyb25n");
    let mut statuses: Vec<u16> = (0..200)
        .map(|_| nginx.request("GET", "/", &[wrong]).status)
        .collect();
    let refused = nginx.get("/");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.text().contains("Wait a minute"), "{refused:?}");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(nginx.get("/").status, 200);
    statuses.dedup();
    assert_eq!(statuses[..2], [401, 429]);
}

#[test]
fn an_address_is_counted_alone_and_an_ipv6_one_with_its_network() {
    let shipped = Shipped::start(published(), &[]);
    let neighbours: Vec<String> = (1..=150)
        .map(|host| format!("2001:db8:1:1::{host:x}"))
        .collect();
    let one_network: Vec<_> = neighbours
        .iter()
        .map(|host| (host.as_str(), "::1", 1))
        .collect();
    limited(&shipped, &one_network);
    for other in [
        "2001:db8:1:2::1",
        "2001:db8:1::1",
        "2001:db8:1:101::1",
        "2001:db9:1:1::1",
    ] {
        assert_eq!(
            shipped.guesses(&[(other, "::1", 20)]),
            [[401; 20]],
            "{other}"
        );
    }
    limited(&shipped, &[("127.0.0.7", "127.0.0.1", 150)]);
    assert_eq!(
        shipped.guesses(&[("127.0.0.8", "127.0.0.1", 20)]),
        [[401; 20]]
    );
}

/// As with "ipv6only=off", where IPv4 addresses look like IPv6 ones of one network.
#[test]
fn ipv4_addresses_are_told_apart_behind_an_ipv6_socket_too() {
    let one_socket = [
        ("listen 443 ssl http2;", ""),
        (
            "listen [::]:443 ssl http2;",
            "listen [::]:443 ssl http2 ipv6only=off;",
        ),
    ];
    let shipped = Shipped::start(published(), &one_socket);
    limited(&shipped, &[("127.0.0.7", "127.0.0.1", 150)]);
    assert_eq!(
        shipped.guesses(&[("127.0.0.8", "127.0.0.1", 20)]),
        [[401; 20]]
    );
}

/// Insists that these guesses are counted together.
fn limited(shipped: &Shipped, guesses: &[(&str, &str, usize)]) {
    let began = Instant::now();
    let statuses = shipped.guesses(guesses).concat();
    let allowed = AT_ONCE + A_SECOND * began.elapsed().as_secs_f64() + 1.0;
    assert_eq!(statuses[..40], [401; 40], "{statuses:?}");
    let hashed = statuses.iter().filter(|&&status| status == 401).count();
    let hashed_at_most = u32::try_from(hashed).map(f64::from).unwrap();
    assert!(hashed_at_most <= allowed, "{allowed}: {statuses:?}");
    assert_eq!(
        statuses.iter().filter(|&&status| status == 429).count(),
        statuses.len() - hashed
    );
}

#[test]
fn http_2_counts_each_guess_on_a_connection() {
    let shipped = Shipped::start(published(), &[]);
    let began = Instant::now();
    let said = shipped.curl(&[
        "--http2",
        "-u",
        "cfo:wrong",
        "-o",
        "/dev/null",
        "-w",
        "%{http_version} %{http_code} %{num_connects}\n",
        "https://status.example.org/[1-100]",
    ]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "2 401 1", "{said}");
    assert!(lines[1..40].iter().all(|line| *line == "2 401 0"), "{said}");
    let refused = lines.iter().filter(|line| **line == "2 429 0").count();
    let refill = A_SECOND * began.elapsed().as_secs_f64() + 1.0;
    assert!(
        u32::try_from(60 - refused).map(f64::from).unwrap() <= refill,
        "{said}"
    );
}

fn published() -> Sandbox {
    let world = world();
    world.build();
    world
}
