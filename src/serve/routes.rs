//! What each address answers.

use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::desk::Desk;
use super::guard::Guard;
use super::http::{self, Arrived, Lines, Request};
use crate::cancel::CancelToken;
use crate::live::{self, Fault, OpenFile};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What a page sends.
#[derive(Debug, Deserialize)]
struct Asked {
    /// Which page it is, by a name of its own.
    page: String,
    /// Number of the scenario.
    scenario: usize,
    /// Its text.
    text: String,
    /// Values to be changed in the text first.
    #[serde(default)]
    moves: Vec<(String, f64)>,
}

/// How long the engine rests after its first estimate: about what a browser takes to draw it, which it does on a free core then.
const DRAWING: Duration = Duration::from_millis(100);

/// How often it looks meanwhile whether the work is cancelled.
const LOOK: Duration = Duration::from_millis(3);

/// Rests for [`DRAWING`], or until the work is cancelled.
fn rest(cancel: &CancelToken) {
    let begun = Instant::now();
    while begun.elapsed() < DRAWING && !cancel.is_cancelled() {
        std::thread::sleep(LOOK);
    }
}

/// Reads one request and answers it.
///
/// # Errors
/// The connection broke.
pub fn answer(stream: &TcpStream, guard: &Guard, desk: &Desk) -> io::Result<()> {
    let request = match http::read(stream)? {
        Arrived::Whole(request) => request,
        Arrived::Refused(status) => return refuse(stream, status),
    };
    let path = match guard.admit(&request) {
        Ok(path) => path,
        Err(status) => return refuse(stream, status),
    };
    match (request.method.as_str(), path) {
        ("GET", "") => http::respond(stream, 200, HTML, live::page(&desk.files).as_bytes()),
        ("POST", "run" | "check" | "report" | "manifest") => match asked(&request, desk) {
            Ok((asked, file)) => work(stream, path, &asked, file, desk),
            Err(status) => refuse(stream, status),
        },
        (_, "" | "run" | "check" | "report" | "manifest") => refuse(stream, 405),
        _ => refuse(stream, 404),
    }
}

fn refuse(stream: &TcpStream, status: u16) -> io::Result<()> {
    http::respond(stream, status, TEXT, b"refused\n")
}

fn asked<'d>(request: &Request, desk: &'d Desk) -> Result<(Asked, &'d OpenFile), u16> {
    // A form of another site cannot send this type without asking first.
    if !request.content_type.as_deref().is_some_and(|kind| kind.starts_with(JSON)) {
        return Err(415);
    }
    let asked: Asked = serde_json::from_slice(&request.body).map_err(|_| 400_u16)?;
    let file = desk.files.get(asked.scenario).ok_or(400_u16)?;
    Ok((asked, file))
}

fn work(stream: &TcpStream, path: &str, asked: &Asked, file: &OpenFile, desk: &Desk) -> io::Result<()> {
    let json = |value: &Result<(), Fault>| match value {
        Ok(()) => "{}".to_owned(),
        Err(fault) => serde_json::to_string(fault).unwrap_or_default(),
    };
    match path {
        "check" => {
            http::respond(stream, 200, JSON, json(&live::check(&desk.engine, file, &asked.text)).as_bytes())
        }
        "manifest" => match live::manifest(&desk.engine, file, &asked.text) {
            Ok(text) => http::respond(stream, 200, TEXT, text.as_bytes()),
            Err(fault) => http::respond(stream, 400, JSON, json(&Err(fault)).as_bytes()),
        },
        "report" => {
            let cancel = desk.begin(&format!("{} report", asked.page));
            match live::report(&desk.engine, file, &asked.text, &cancel) {
                Ok(Some(page)) => http::respond(stream, 200, HTML, page.as_bytes()),
                Ok(None) => refuse(stream, 400),
                Err(fault) => http::respond(stream, 400, JSON, json(&Err(fault)).as_bytes()),
            }
        }
        _ => {
            let cancel = desk.begin(&format!("{} {}", asked.page, asked.scenario));
            let mut lines = Lines::begin(stream)?;
            let begun = Instant::now();
            let elapsed = || begun.elapsed().as_secs_f64() * 1e3;
            let text = live::begun(&asked.text, &asked.moves, &mut |line| lines.send(line))?;
            if let Some(text) = text {
                let mut is_first = true;
                let mut send = |line: &str| {
                    lines.send(line)?;
                    if std::mem::take(&mut is_first) {
                        rest(&cancel);
                    }
                    Ok(())
                };
                live::run(&desk.engine, file, &text, &cancel, &elapsed, &mut send);
            }
            lines.end()
        }
    }
}
