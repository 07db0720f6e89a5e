//! A server that speaks PostgreSQL's protocol as far as it likes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Takes connections until the test program ends.
pub struct Impostor {
    pub port: u16,
}

impl Impostor {
    /// Refuses encryption, hears who is there, does as `answer` says, and closes the connection.
    pub fn new(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Impostor {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, answer) = (client.unwrap(), Arc::clone(&answer));
                thread::spawn(move || {
                    if hears_the_startup(&mut client).is_some() {
                        answer(&mut client);
                    }
                    hang_up(&client);
                });
            }
        });
        Impostor { port }
    }
}

fn hears_the_startup(client: &mut TcpStream) -> Option<()> {
    client.read_exact(&mut [0; 8]).ok()?;
    client.write_all(b"N").ok()?;
    let mut length = [0; 4];
    client.read_exact(&mut length).ok()?;
    let rest = u32::from_be_bytes(length).saturating_sub(4);
    client.read_exact(&mut vec![0; rest as usize]).ok()
}

/// Says no more, and hears the other side out: what was said last must not be lost in a reset.
fn hang_up(mut client: &TcpStream) {
    let _ = client.shutdown(Shutdown::Write);
    while matches!(client.read(&mut [0; 4096]), Ok(1..)) {}
}

/// Waits for a message of the client; its text, without the bytes that are none.
pub fn hear(client: &mut TcpStream) -> Option<String> {
    let mut head = [0; 5];
    client.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut body = vec![0; length.saturating_sub(4) as usize];
    client.read_exact(&mut body).ok()?;
    body.retain(|&byte| byte != 0);
    Some(String::from_utf8_lossy(&body).into_owned())
}

/// One message: its kind, its length, its body.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    claiming(kind, length, body)
}

/// A message that claims to be longer or shorter than it is.
pub fn claiming(kind: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

/// Come in, and ask.
pub fn welcome() -> Vec<u8> {
    [message(b'R', &[0; 4]), message(b'Z', b"I")].concat()
}

/// Two columns of text.
pub fn description() -> Vec<u8> {
    let mut body = 2_u16.to_be_bytes().to_vec();
    for name in ["entity_type", "observed"] {
        body.extend(name.bytes().chain([0]));
        body.extend([0; 6]);
        body.extend(25_u32.to_be_bytes());
        body.extend((-1_i16).to_be_bytes());
        body.extend((-1_i32).to_be_bytes());
        body.extend([0; 2]);
    }
    message(b'T', &body)
}

pub fn row(values: &[Option<&str>]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
    for value in values {
        let length = value.map_or(-1, |text| i32::try_from(text.len()).unwrap());
        body.extend(length.to_be_bytes());
        body.extend(value.unwrap_or_default().bytes());
    }
    message(b'D', &body)
}

/// The row about the database itself.
pub fn facts() -> Vec<u8> {
    row(&[
        None,
        Some(r#"{"clock": 0, "role": "syncmon_ro", "hidden": []}"#),
    ])
}

pub const NOTHING_OBSERVED: &str =
    r#"{"state": null, "outcomes": [], "runs": [], "earlier": [], "measures": [], "errors": []}"#;

/// That were so many rows, and the next question may come.
pub fn end(rows: usize) -> Vec<u8> {
    let tag = format!("SELECT {rows}\0");
    [message(b'C', tag.as_bytes()), message(b'Z', b"I")].concat()
}

/// An error with these fields.
pub fn error(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, text) in fields {
        body.extend([&[*kind][..], text, &[0]].concat());
    }
    body.push(0);
    message(b'E', &body)
}
