//! A client of a web server that keeps its connection and takes gzip, as browsers do, or opens one a request and does not.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::sandbox::uncompressed;
use crate::web::{RIGHT, Response, position};

pub struct Client {
    port: u16,
    keeps: bool,
    connection: Option<TcpStream>,
    /// How often the server had closed a kept connection before the next request.
    pub reopened: usize,
}

impl Client {
    pub fn new(port: u16, keeps: bool) -> Client {
        Client {
            port,
            keeps,
            connection: None,
            reopened: 0,
        }
    }

    /// On a connection that is open already.
    pub fn on(connection: TcpStream) -> Client {
        Client {
            connection: Some(connection),
            ..Client::new(0, true)
        }
    }

    /// The answer to somebody who gives this in place of the password, on the connection that is open.
    pub fn get_with(&mut self, path: &str, authorization: &str) -> Response {
        let connection = self
            .connection
            .take()
            .expect("the server has ended the connection");
        self.ask(connection, path, authorization)
            .expect("a connection was closed without an answer")
    }

    /// The whole answer. A refused connection and half an answer are failures; a kept connection
    /// that turns out to be closed before a byte of an answer came is opened again, as HTTP wants it.
    pub fn get(&mut self, path: &str) -> Response {
        if let Some(connection) = self.connection.take() {
            if let Some(response) = self.ask(connection, path, RIGHT.1) {
                return response;
            }
            self.reopened += 1;
        }
        let connection = TcpStream::connect(("127.0.0.1", self.port))
            .unwrap_or_else(|error| panic!("{path}: connection refused: {error}"));
        connection.set_nodelay(true).unwrap();
        self.ask(connection, path, RIGHT.1)
            .unwrap_or_else(|| panic!("{path}: a new connection was closed without an answer"))
    }

    fn ask(&mut self, mut connection: TcpStream, path: &str, key: &str) -> Option<Response> {
        let (keeps, accepts) = if self.keeps {
            ("keep-alive", "Accept-Encoding: gzip\r\n")
        } else {
            ("close", "")
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {keeps}\r\n{accepts}Authorization: {key}\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        let mut piece = [0; 8192];
        while !is_complete(&answer) {
            match connection.read(&mut piece) {
                Ok(read) if read > 0 => answer.extend_from_slice(&piece[..read]),
                _ if answer.is_empty() => return None,
                end => panic!("{path}: half an answer, {} bytes: {end:?}", answer.len()),
            }
        }
        let mut response = Response::parse(&answer, "GET");
        if response.header("content-encoding") == Some("gzip") {
            response.body = uncompressed(&response.body);
        }
        if self.keeps && response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Some(response)
    }
}

/// Whether an answer has come to the end that it announces.
fn is_complete(answer: &[u8]) -> bool {
    let Some(end) = position(answer, b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let body = &answer[end + 4..];
    match head.split_once("content-length: ") {
        Some((_, length)) => {
            let length = length.split("\r\n").next().unwrap();
            body.len() >= length.parse().unwrap()
        }
        None => body.ends_with(b"0\r\n\r\n"),
    }
}
