//! A gate before a server: lets connections through, or does to them what networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It goes through to the server.
    Open,
    /// Nobody listens.
    Refusing,
    /// It is taken, and nothing ever comes back.
    Silent,
    /// It is closed once the server has sent so many bytes.
    CutAfter(usize),
    /// Nothing more comes once the server has sent so many bytes.
    StallAfter(usize),
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
    closed: bool,
    heard: Vec<u8>,
}

impl Gate {
    /// An open gate before the server on this port.
    pub fn before(server: u16) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared {
            manner: Manner::Open,
            closed: false,
            heard: Vec::new(),
        }));
        let gate = Gate {
            port,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || keep(listener, server, &shared));
        gate
    }

    /// From now on, for new connections.
    pub fn turn(&self, manner: Manner) {
        self.shared.lock().unwrap().manner = manner;
        let refused = || TcpStream::connect(("127.0.0.1", self.port)).is_err();
        while refused() != (manner == Manner::Refusing) {
            thread::sleep(Duration::from_millis(2));
        }
        self.shared.lock().unwrap().heard.clear();
    }

    /// What clients have sent since the gate was turned.
    pub fn heard(&self) -> Vec<u8> {
        self.shared.lock().unwrap().heard.clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.lock().unwrap().closed = true;
    }
}

fn keep(first: TcpListener, server: u16, shared: &Arc<Mutex<Shared>>) {
    let port = first.local_addr().unwrap().port();
    let mut listener = Some(first);
    loop {
        let (manner, closed) = {
            let shared = shared.lock().unwrap();
            (shared.manner, shared.closed)
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
        Manner::Open => forward(client, server, usize::MAX, Manner::Open, shared),
        Manner::CutAfter(bytes) | Manner::StallAfter(bytes) => {
            forward(client, server, bytes, manner, shared);
        }
    }
}

/// Hears a client out without answering.
fn listen(mut client: &TcpStream, shared: &Mutex<Shared>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let heard = &mut shared.lock().unwrap().heard;
        heard.extend_from_slice(&buffer[..count]);
    }
}

/// Both directions, up to so many bytes from the server.
fn forward(
    mut client: &TcpStream,
    port: u16,
    mut left: usize,
    manner: Manner,
    shared: &Arc<Mutex<Shared>>,
) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut asking, mut asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let record = Arc::clone(shared);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = asking.read(&mut buffer) {
            record
                .lock()
                .unwrap()
                .heard
                .extend_from_slice(&buffer[..count]);
            if asked.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = asked.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 4096];
    while left > 0 {
        let size = buffer.len().min(left);
        match server.read(&mut buffer[..size]) {
            Ok(count @ 1..) if client.write_all(&buffer[..count]).is_ok() => left -= count,
            _ => break,
        }
    }
    if left == 0 && matches!(manner, Manner::StallAfter(_)) {
        // The other direction ends when the client gives up.
        while matches!(server.read(&mut buffer), Ok(1..)) {}
    }
    let _ = client.shutdown(Shutdown::Both);
}
