//! Writes the page of the playground, or answers a question as the page's engine does.
//!
//! - `kneepoint-playground page > index.html`
//! - `kneepoint-playground run < question.json`: the lines, with no time in them, to compare with those of WebAssembly

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use kneepoint_playground::{What, answer, page};

fn main() -> ExitCode {
    let asked = std::env::args().nth(1);
    let mut output = stdout().lock();
    let written = match asked.as_deref() {
        Some("page") => output.write_all(page("kneepoint.wasm").as_bytes()),
        Some("run") => {
            let mut question = Vec::new();
            let mut lines = String::new();
            stdin().read_to_end(&mut question).and_then(|_| {
                answer(What::Run, &question, &|| 0.0, &mut |line| {
                    lines.push_str(line);
                    lines.push('\n');
                });
                output.write_all(lines.as_bytes())
            })
        }
        _ => {
            eprintln!("usage: kneepoint-playground page | run < question.json");
            return ExitCode::from(2);
        }
    };
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
