//! What each address answers.

use std::io;
use std::net::TcpStream;

use serde::{Deserialize, Serialize};

use super::desk::{Desk, OpenFile};
use super::fields::{Field, fields, moved};
use super::guard::Guard;
use super::http::{self, Arrived, Lines, Request};
use super::stages::{self, Fault};
use crate::report::file_name;
use crate::report::render::html;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

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

/// A scenario as the page is given it.
#[derive(Debug, Serialize)]
struct Opened<'a> {
    name: String,
    file: String,
    text: &'a str,
    fields: Vec<Field>,
}

/// The text after what was moved in it.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename = "text")]
struct Moved<'a> {
    text: &'a str,
    fields: Vec<Field>,
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
        ("GET", "") => http::respond(stream, 200, HTML, page(desk).as_bytes()),
        ("POST", "run" | "check" | "report") => match asked(&request, desk) {
            Ok((asked, file)) => work(stream, path, &asked, file, desk),
            Err(status) => refuse(stream, status),
        },
        (_, "" | "run" | "check" | "report") => refuse(stream, 405),
        _ => refuse(stream, 404),
    }
}

fn refuse(stream: &TcpStream, status: u16) -> io::Result<()> {
    http::respond(stream, status, "text/plain; charset=utf-8", b"refused\n")
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
        "check" => http::respond(stream, 200, JSON, json(&stages::check(desk, file, &asked.text)).as_bytes()),
        "report" => {
            let cancel = desk.begin(&format!("{} report", asked.page));
            match stages::report(desk, file, &asked.text, &cancel) {
                Ok(Some(page)) => http::respond(stream, 200, HTML, page.as_bytes()),
                Ok(None) => refuse(stream, 400),
                Err(fault) => http::respond(stream, 400, JSON, json(&Err(fault)).as_bytes()),
            }
        }
        _ => {
            let cancel = desk.begin(&format!("{} {}", asked.page, asked.scenario));
            let mut lines = Lines::begin(stream)?;
            let mut text = asked.text.clone();
            let mut refused = None;
            for (path, value) in &asked.moves {
                match moved(&text, path, *value) {
                    Ok(changed) => text = changed,
                    Err(why) => refused = Some(format!("`{path}` was not moved: {why}")),
                }
            }
            let line = Moved { text: &text, fields: fields(&text) };
            lines.send(&serde_json::to_string(&line).unwrap_or_default())?;
            match refused {
                Some(message) => {
                    let fault = serde_json::json!({ "kind": "error", "message": message, "at": null });
                    lines.send(&fault.to_string())?;
                }
                None => stages::run(desk, file, &text, &cancel, &mut |line| lines.send(line)),
            }
            lines.end()
        }
    }
}

/// The page.
fn page(desk: &Desk) -> String {
    let opened: Vec<Opened<'_>> = desk
        .files
        .iter()
        .map(|file| {
            let stem =
                file.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            Opened {
                file: format!("{}.toml", file_name(&stem)),
                name: stem,
                text: &file.text,
                fields: fields(&file.text),
            }
        })
        .collect();
    let names: Vec<&str> = opened.iter().map(|each| each.name.as_str()).collect();
    let title = format!("{} – Kneepoint", names.join(", "));
    html::live(&title, &serde_json::to_string(&opened).unwrap_or_default())
}
