//! A gate before a server: lets connections through, or does to them what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a connection: at once, or `After` the server or in `Asking` the client has sent so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It goes through to the server.
    Open,
    /// Nobody listens.
    Refusing,
    /// It is taken, and nothing ever comes back.
    Silent,
    /// It is closed.
    CutAfter(usize),
    CutAsking(usize),
    /// It is reset, as by a firewall or a crash.
    ResetAfter(usize),
    ResetAsking(usize),
    /// Nothing more comes.
    StallAfter(usize),
    /// One byte a second comes.
    TrickleAfter(usize),
    /// As many random bytes come instead of the server's own; then the connection is closed.
    GarbageAfter {
        bytes: usize,
        seed: u64,
    },
    /// This comes back, from no database.
    Says(&'static [u8]),
}

/// A port that stays the same whatever happens behind it.
pub struct Gate {
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    manner: Manner,
    server: u16,
    closed: bool,
    heard: Vec<u8>,
    answered: Vec<u8>,
}

impl Gate {
    /// An open gate before the server on this port.
    pub fn before(server: u16) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared {
            manner: Manner::Open,
            server,
            closed: false,
            heard: Vec::new(),
            answered: Vec::new(),
        }));
        let kept = Arc::clone(&shared);
        thread::spawn(move || keep(listener, &kept));
        Gate { port, shared }
    }

    /// From now on, for new connections.
    pub fn turn(&self, manner: Manner) {
        let before = std::mem::replace(&mut self.shared.lock().unwrap().manner, manner);
        if before == Manner::Refusing || manner == Manner::Refusing {
            let refused = || TcpStream::connect(("127.0.0.1", self.port)).is_err();
            while refused() != (manner == Manner::Refusing) {
                thread::sleep(Duration::from_millis(2));
            }
        }
        let mut shared = self.shared.lock().unwrap();
        shared.heard.clear();
        shared.answered.clear();
    }

    /// From now on, new connections go to another server.
    pub fn lead_to(&self, server: u16) {
        self.shared.lock().unwrap().server = server;
    }

    /// What clients have sent since the gate was turned.
    pub fn heard(&self) -> Vec<u8> {
        self.shared.lock().unwrap().heard.clone()
    }

    /// What the server has sent since the gate was turned.
    pub fn answered(&self) -> Vec<u8> {
        self.shared.lock().unwrap().answered.clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.lock().unwrap().closed = true;
    }
}

fn keep(first: TcpListener, shared: &Arc<Mutex<Shared>>) {
    let port = first.local_addr().unwrap().port();
    let mut listener = Some(first);
    loop {
        let (manner, server, closed) = {
            let shared = shared.lock().unwrap();
            (shared.manner, shared.server, shared.closed)
        };
        if closed {
            return;
        }
        if manner == Manner::Refusing {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(("127.0.0.1", port)).ok();
        }
        if let Some(listener) = &listener {
            listener.set_nonblocking(true).unwrap();
            while let Ok((client, _)) = listener.accept() {
                client.set_nonblocking(false).unwrap();
                // The gate may have been turned since this round began.
                let manner = shared.lock().unwrap().manner;
                let shared = Arc::clone(shared);
                thread::spawn(move || serve(&client, server, manner, &shared));
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn serve(client: &TcpStream, server: u16, manner: Manner, shared: &Arc<Mutex<Shared>>) {
    match manner {
        Manner::Refusing => {}
        Manner::Silent => listen(client, shared),
        Manner::Says(text) => {
            let _ = (&mut &*client).read(&mut [0; 8]);
            let _ = (&mut &*client).write_all(text);
            listen(client, shared);
        }
        Manner::CutAfter(0) => {
            // A connection that is closed with something unread in it would be reset instead.
            let _ = (&mut &*client).read(&mut [0; 8]);
        }
        Manner::ResetAfter(0) => reset(client),
        _ => forward(client, server, manner, shared),
    }
}

/// What the other side sees of a crash: no farewell, and nothing that was still on its way.
fn reset(client: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO)).unwrap();
}

/// Hears a client out without answering.
fn listen(mut client: &TcpStream, shared: &Mutex<Shared>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        shared.lock().unwrap().heard.extend(&buffer[..count]);
    }
}

/// Both directions, as far as they go.
fn forward(client: &TcpStream, port: u16, manner: Manner, shared: &Arc<Mutex<Shared>>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let asking = client.try_clone().unwrap();
    let asked = server.try_clone().unwrap();
    let record = Arc::clone(shared);
    let question = thread::spawn(move || ask(&asking, &asked, manner, &record));
    answer(client, &server, manner, shared);
    if matches!(manner, Manner::ResetAfter(_)) {
        // Both directions end, so that the last copy of the client's socket is the one closed here.
        let _ = server.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Read);
        let _ = question.join();
        reset(client);
    } else if !matches!(manner, Manner::ResetAsking(_)) {
        let _ = client.shutdown(Shutdown::Both);
    }
}

/// From the client to the server.
fn ask(mut client: &TcpStream, mut server: &TcpStream, manner: Manner, shared: &Mutex<Shared>) {
    let mut left = match manner {
        Manner::CutAsking(bytes) | Manner::ResetAsking(bytes) => bytes,
        _ => usize::MAX,
    };
    let mut buffer = [0; 4096];
    while left > 0 {
        let size = buffer.len().min(left);
        let Ok(count @ 1..) = client.read(&mut buffer[..size]) else {
            break;
        };
        left -= count;
        shared.lock().unwrap().heard.extend(&buffer[..count]);
        if server.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    if matches!(manner, Manner::ResetAsking(_)) {
        reset(client);
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// From the server to the client.
fn answer(mut client: &TcpStream, mut server: &TcpStream, manner: Manner, shared: &Mutex<Shared>) {
    let mut left = match manner {
        Manner::CutAfter(bytes)
        | Manner::ResetAfter(bytes)
        | Manner::StallAfter(bytes)
        | Manner::TrickleAfter(bytes)
        | Manner::GarbageAfter { bytes, .. } => bytes,
        _ => usize::MAX,
    };
    let mut buffer = [0; 4096];
    while left > 0 {
        let size = buffer.len().min(left);
        let Ok(count @ 1..) = server.read(&mut buffer[..size]) else {
            return;
        };
        shared.lock().unwrap().answered.extend(&buffer[..count]);
        if client.write_all(&buffer[..count]).is_err() {
            return;
        }
        left -= count;
    }
    match manner {
        Manner::StallAfter(_) => {
            // The other direction ends when the client gives up.
            while matches!(server.read(&mut buffer), Ok(1..)) {}
        }
        Manner::TrickleAfter(_) => {
            while matches!(server.read(&mut buffer[..1]), Ok(1..)) {
                if client.write_all(&buffer[..1]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_secs(1));
            }
        }
        Manner::GarbageAfter { bytes, seed } => {
            let mut random = fastrand::Rng::with_seed(seed);
            let garbage = std::iter::repeat_with(|| random.u8(..));
            let garbage: Vec<u8> = garbage.take(bytes.clamp(16, 4096)).collect();
            let _ = client.write_all(&garbage);
        }
        _ => {}
    }
}
