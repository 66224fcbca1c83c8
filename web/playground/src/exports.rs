//! What the worker of the page calls and is called by. Numbers alone go across: a question is written into memory that
//! [`question`] hands out, and a line is read from memory that `tell` is shown.
#![expect(unsafe_code, reason = "names of exports and imports are promises that no compiler can check")]

use std::sync::{Mutex, PoisonError};

use crate::{What, answer};

#[link(wasm_import_module = "kneepoint")]
unsafe extern "C" {
    /// Takes a line: where it is, and how many bytes it has.
    safe fn tell(pointer: *const u8, length: usize);
    /// Milliseconds since any instant.
    safe fn now() -> f64;
}

static QUESTION: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Room for a question of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn question(length: usize) -> *mut u8 {
    let mut question = QUESTION.lock().unwrap_or_else(PoisonError::into_inner);
    *question = vec![0; length];
    question.as_mut_ptr()
}

fn asked(what: What) {
    let question = std::mem::take(&mut *QUESTION.lock().unwrap_or_else(PoisonError::into_inner));
    let begun = now();
    answer(what, &question, &|| now() - begun, &mut |line| tell(line.as_ptr(), line.len()));
}

/// Answers the question by results, stage by stage.
#[unsafe(no_mangle)]
pub extern "C" fn run() {
    asked(What::Run);
}

/// Answers it by the page of a whole report.
#[unsafe(no_mangle)]
pub extern "C" fn report() {
    asked(What::Report);
}

/// Answers it by the manifest of the autoscaler.
#[unsafe(no_mangle)]
pub extern "C" fn manifest() {
    asked(What::Manifest);
}
