//! HTTP/1.1 as far as one page needs it: a request with a body of known length, an answer at once or line by line, and then
//! the end of the connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longest head of a request.
const MOST_HEAD: usize = 16 << 10;
/// Longest body: a scenario is at most half of that.
const MOST_BODY: usize = 8 << 20;
/// Headers of a request; browsers send about fifteen.
const MOST_HEADERS: usize = 64;
/// How long a request may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// Host as the client names it.
    pub host: Option<String>,
    /// Origin of the page that asks, if a page does.
    pub origin: Option<String>,
    /// Type of the body.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What became of reading a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A request.
    Whole(Request),
    /// Something that is none, or too long: the status to answer.
    Refused(u16),
}

/// Reads a request.
///
/// # Errors
/// The connection broke, or nothing came for too long.
pub fn read(mut stream: &TcpStream) -> io::Result<Arrived> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    parse(&mut stream)
}

fn parse(input: &mut impl Read) -> io::Result<Arrived> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (mut request, length, head) = loop {
        let count = input.read(&mut chunk)?;
        if count == 0 {
            return Ok(Arrived::Refused(400));
        }
        bytes.extend_from_slice(&chunk[..count]);
        match head(&bytes) {
            Head::Whole(request, length, head) => break (request, length, head),
            Head::Partial if bytes.len() < MOST_HEAD => {}
            Head::Partial => return Ok(Arrived::Refused(431)),
            Head::Wrong(status) => return Ok(Arrived::Refused(status)),
        }
    };
    if length > MOST_BODY {
        return Ok(Arrived::Refused(413));
    }
    request.body = bytes.split_off(head);
    while request.body.len() < length {
        let count = input.read(&mut chunk)?;
        if count == 0 {
            return Ok(Arrived::Refused(400));
        }
        request.body.extend_from_slice(&chunk[..count]);
    }
    request.body.truncate(length);
    Ok(Arrived::Whole(request))
}

enum Head {
    Partial,
    /// The request, the length of its body, and that of its head.
    Whole(Request, usize, usize),
    Wrong(u16),
}

fn head(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Head::Partial,
        Err(httparse::Error::TooManyHeaders) => return Head::Wrong(431),
        Err(_) => return Head::Wrong(400),
    };
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        ..Request::default()
    };
    let mut length = None;
    for header in parsed.headers.iter() {
        let Ok(value) = std::str::from_utf8(header.value) else { return Head::Wrong(400) };
        let place = match header.name.to_ascii_lowercase().as_str() {
            "host" => &mut request.host,
            "origin" => &mut request.origin,
            "content-type" => &mut request.content_type,
            "content-length" => &mut length,
            // A body of unknown length: no page of ours sends one.
            "transfer-encoding" => return Head::Wrong(411),
            _ => continue,
        };
        // Twice the same header could be read one way here and another way elsewhere.
        if place.replace(value.trim().to_owned()).is_some() {
            return Head::Wrong(400);
        }
    }
    match length.map_or(Ok(0), |length| length.parse()) {
        Ok(length) => Head::Whole(request, length, head),
        Err(_) => Head::Wrong(400),
    }
}

/// Answers at once.
///
/// # Errors
/// The connection broke.
pub fn respond(mut stream: &TcpStream, status: u16, content_type: &str, body: &[u8]) -> io::Result<()> {
    let head = begin(status, content_type, &format!("Content-Length: {}\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// An answer line by line.
#[derive(Debug)]
pub struct Lines<'a>(&'a TcpStream);

impl<'a> Lines<'a> {
    /// Begins it.
    ///
    /// # Errors
    /// The connection broke.
    pub fn begin(mut stream: &'a TcpStream) -> io::Result<Lines<'a>> {
        let head = begin(200, "application/x-ndjson", "Transfer-Encoding: chunked\r\n");
        stream.write_all(head.as_bytes())?;
        Ok(Lines(stream))
    }

    /// Sends a line.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        let chunk = format!("{:x}\r\n{line}\n\r\n", line.len() + 1);
        self.0.write_all(chunk.as_bytes())
    }

    /// Ends it.
    ///
    /// # Errors
    /// The connection broke.
    pub fn end(mut self) -> io::Result<()> {
        self.0.write_all(b"0\r\n\r\n")
    }
}

fn begin(status: u16, content_type: &str, length: &str) -> String {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        _ => "Error",
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\n{length}Connection: close\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Arrived {
        parse(&mut text.as_bytes()).unwrap()
    }

    #[test]
    fn a_request_with_a_body_is_read_whole() {
        let text = "POST /t/run HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\nContent-Length: 3\r\n\r\nabcd";
        let Arrived::Whole(request) = parsed(text) else { panic!("refused") };
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/t/run"));
        assert_eq!(request.host.as_deref(), Some("localhost:1"));
        assert_eq!(request.body, b"abc");
    }

    #[test]
    fn what_is_no_request_or_too_long_is_refused() {
        assert_eq!(parsed("hello\r\n\r\n"), Arrived::Refused(400));
        assert_eq!(parsed("GET / HTTP/1.1\r\nHost: a"), Arrived::Refused(400));
        assert_eq!(parsed("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"), Arrived::Refused(413));
        assert_eq!(parsed("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), Arrived::Refused(400));
        assert_eq!(parsed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), Arrived::Refused(411));
        assert_eq!(parsed("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), Arrived::Refused(400));
        assert_eq!(parsed(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(20 << 10))), Arrived::Refused(431));
        assert_eq!(
            parsed(&format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(80))),
            Arrived::Refused(431)
        );
    }
}
