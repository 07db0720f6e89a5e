//! Guessing the password, by the thousand, while somebody reads who knows it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::campaign::Campaign;
use crate::client::Client;
use crate::golden::Told;
use crate::nginx::built;
use crate::sandbox::Sandbox;
use crate::shipped::Shipped;
use crate::web::Nginx;

/// What `deploy/nginx/syncmon.conf` lets through: so many at once, and so many a second.
const AT_ONCE: usize = 40;
const A_SECOND: usize = 5;

/// What a look takes the first time.
const LOOK: [&str; 4] = ["/", "syncmon.css", "syncmon.js", "/status.json"];

/// Between two guesses of a stranger: what strangers need to work out theirs, they do not take from the server.
const PAUSE: Duration = Duration::from_millis(10);

#[test]
fn ten_thousand_guesses_keep_nobody_from_reading_who_has_the_password() {
    let campaign = Campaign::named("guessing", "by 8 addresses");
    for _ in campaign.steps(1, 1) {
        guesses_are_refused(&campaign);
    }
}

fn guesses_are_refused(campaign: &Campaign) {
    let world = built();
    let nginx = Nginx::that_counts_guesses(&world);
    let looks = campaign.size(15, 60);
    let (over, guesses) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let enough = || guesses.load(Ordering::SeqCst) >= 10_000;
    let (mut waits, hashed) = std::thread::scope(|scope| {
        let guess_on = |stranger| guess_on(&nginx, stranger, &over, &guesses);
        let strangers =
            [0, 1, 2, 3, 4, 5, 6, 7].map(|stranger| scope.spawn(move || guess_on(stranger)));
        let waits = read_on(&world, nginx.port, looks, enough);
        over.store(true, Ordering::SeqCst);
        let hashed = strangers.map(|stranger| stranger.join().unwrap());
        (waits, hashed.iter().sum::<usize>())
    });
    let (took, guesses) = (began.elapsed(), guesses.into_inner());
    waits.sort();
    let slowest = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_millis();
    assert!(guesses >= 10_000, "only {guesses}");
    logs_stay_small(&nginx, guesses, waits.len());
    campaign.ends(&format!(
        "{guesses} guesses in {} s, of which {hashed} got as far as the hash; the reader's {} \
         requests: median {} ms, 95th percentile {} ms, slowest {} ms, 0 refused",
        took.as_secs(),
        waits.len(),
        slowest(50),
        slowest(95),
        slowest(100),
    ));
}

/// A page a second, with all that belongs to it, until `looks` were taken and it is `enough`.
fn read_on(world: &Sandbox, port: u16, looks: usize, enough: impl Fn() -> bool) -> Vec<Duration> {
    let mut reader = Client::new(port, true);
    let mut waits = Vec::new();
    let mut look = 0;
    while look < looks || !enough() {
        for name in LOOK {
            let path = match name {
                "/" | "/status.json" => name.to_owned(),
                asset => format!("/{}", world.asset(asset)),
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
    assert!(hashed <= allowed(began), "{hashed} hashes from {address}");
    hashed
}

/// So many hashes are computed at most for an address that has been guessing since then.
fn allowed(began: Instant) -> usize {
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    AT_ONCE + A_SECOND * (seconds + 1)
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
    let of = |status: &str| log.matches(&format!("\" {status} ")).count();
    assert_eq!(of("200"), shown);
    let refused = of("401") + of("429");
    let logged = guesses / refused.max(1);
    assert!((50..300).contains(&logged), "one of {logged}");
    assert_eq!(log.lines().count(), shown + refused);
    let errors = nginx.errors();
    assert!(errors.len() < 1000, "{errors}");
}

#[test]
fn requests_without_a_password_count_for_nothing() {
    let world = built();
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
    let world = built();
    let nginx = Nginx::that_counts_guesses(&world);
    let wrong = ("Authorization", "Basic Y2ZvOndyb25n");
    let mut statuses: Vec<u16> = (0..200)
        .map(|_| nginx.request("GET", "/", &[wrong]).status)
        .collect();
    let refused = nginx.get("/");
    assert_eq!(refused.status, 429, "{refused:?}");
    refused.text().has("Wait a minute");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(nginx.get("/").status, 200);
    statuses.dedup();
    assert_eq!(statuses[..2], [401, 429]);
}

#[test]
fn an_address_is_counted_alone_and_an_ipv6_one_with_its_network() {
    let shipped = Shipped::start(built(), &[]);
    let neighbours: Vec<String> = (1..=150).map(|n| format!("2001:db8:1:1::{n:x}")).collect();
    let asked = neighbours.iter().map(|host| (host.as_str(), "::1", 1));
    limited(&shipped, &asked.collect::<Vec<_>>());
    for other in "2001:db8:1:2::1 2001:db8:1::1 2001:db8:1:101::1 2001:db9:1:1::1".split(' ') {
        let statuses = shipped.guesses(&[(other, "::1", 20)]);
        assert_eq!(statuses, [[401; 20]], "{other}");
    }
    one_ipv4_address_is_limited(&shipped);
}

/// As with "ipv6only=off", where IPv4 addresses look like IPv6 ones of one network.
#[test]
fn ipv4_addresses_are_told_apart_behind_an_ipv6_socket_too() {
    let both = "listen [::]:443 ssl http2 ipv6only=off;";
    let one_socket = [
        ("listen 443 ssl http2;", ""),
        ("listen [::]:443 ssl http2;", both),
    ];
    let shipped = Shipped::start(built(), &one_socket);
    one_ipv4_address_is_limited(&shipped);
}

/// And its neighbour is not.
fn one_ipv4_address_is_limited(shipped: &Shipped) {
    limited(shipped, &[("127.0.0.7", "127.0.0.1", 150)]);
    let neighbour = shipped.guesses(&[("127.0.0.8", "127.0.0.1", 20)]);
    assert_eq!(neighbour, [[401; 20]]);
}

/// Insists that these guesses are counted together.
fn limited(shipped: &Shipped, guesses: &[(&str, &str, usize)]) {
    let began = Instant::now();
    let statuses = shipped.guesses(guesses).concat();
    let allowed = allowed(began);
    assert_eq!(statuses[..AT_ONCE], [401; AT_ONCE], "{statuses:?}");
    let of = |wanted: u16| statuses.iter().filter(|&&status| status == wanted).count();
    assert!(of(401) <= allowed, "{allowed}: {statuses:?}");
    assert_eq!(of(401) + of(429), statuses.len());
}

#[test]
fn http_2_counts_each_guess_on_a_connection() {
    let shipped = Shipped::start(built(), &[]);
    let began = Instant::now();
    let said = shipped.curl(
        "--http2 -u cfo:wrong -o /dev/null -w '%{http_version} %{http_code} %{num_connects}\n' \
         'https://status.example.org/[1-100]'",
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "2 401 1", "{said}");
    assert!(lines[1..40].iter().all(|line| *line == "2 401 0"), "{said}");
    let hashed = lines.iter().filter(|line| **line != "2 429 0").count();
    assert!(hashed <= allowed(began), "{said}");
}
